/** An API that takes tokens for organizations: who may read invoices reads those of the organization it speaks for. */
import { createServer } from 'node:http';
import { createGuard } from '@sekisho/client/node';

const { ISSUER = 'http://localhost:8480/', AUDIENCE = 'https://invoices.example', PORT = '3000' } = process.env;
const guard = createGuard({ issuer: ISSUER, audience: AUDIENCE });

const server = createServer(
  guard.requireScopes('read:invoices')((request, response) => {
    const { organizationId } = guard.accessToken(request);
    response.end(`${JSON.stringify({ invoicesOf: organizationId })}\n`);
  }),
);
server.listen(Number(PORT), '127.0.0.1', () => console.log(`Invoices on http://localhost:${PORT}/`));
