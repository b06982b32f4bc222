/**
 * An app server: people of a customer manage their customer's teams, and a super admin manages customers in bulk.
 *
 *   token of the person → guard (401, 403: nothing behind it runs) → management API with the app server's own credentials
 *
 * The app server may do more than any person it serves. So it decides itself, by the token: what may be done (scopes), and
 * where (the organization that the token speaks for; never an organization that the request names).
 */
import { randomUUID } from 'node:crypto';
import { ManagementError, SekishoError, type VerifierOptions } from '@sekisho/client';
import { createGuard } from '@sekisho/client/fastify';
import { etagOf, type ManagementClient, type Organization } from '@sekisho/client/management';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';

const teamBody = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, maxLength: 128 } },
};
const listOf = (name: string) => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', minLength: 1 } } },
});

/** The app; `verifier` says whose tokens it takes, `pageOrigin` whose scripts may call it. */
export function buildApp(verifier: VerifierOptions, management: ManagementClient, pageOrigin: string): FastifyInstance {
  const guard = createGuard(verifier, { realm: 'app' });
  const app = fastify({ ajv: { customOptions: { coerceTypes: false } } });
  allowPage(app, pageOrigin);
  const inOrganization = (scope: string) => ({
    onRequest: [guard.requireScopes(scope), guard.requireOrganization()],
  });
  const customerOf = (request: FastifyRequest): string => guard.accessToken(request).organizationId as string;

  app.get('/teams', inOrganization('org:read'), async (request) => {
    const { items } = await management.organizations.listChildren(customerOf(request), { page_size: 100 }).page();
    return items.map(shown);
  });

  app.post<{ Body: { name: string } }>(
    '/teams',
    { ...inOrganization('org:create'), schema: { body: teamBody } },
    async (request, reply) => {
      const team = { name: request.body.name, parentId: customerOf(request) };
      // With a key the client may try again when an answer is lost, and there is still one team.
      const created = await management.organizations.create(team, { idempotencyKey: randomUUID() });
      reply.code(201);
      return shown(created);
    },
  );

  app.delete<{ Params: { id: string } }>('/teams/:id', inOrganization('org:delete'), async (request, reply) => {
    const team = await management.organizations.get(request.params.id);
    // Another customer's team answers as one that is not there.
    if (team.parentId !== customerOf(request)) return reply.code(404).send(nothingHere);
    // Only as it was read: a team that is moved meanwhile stays.
    await management.organizations.delete(team.id, { ifMatch: etagOf(team) as string });
    return reply.code(204).send();
  });

  app.post<{ Body: { names: string[] } }>(
    '/customers/batch',
    { onRequest: guard.requireScopes('org:bulk'), schema: { body: listOf('names') } },
    async (request, reply) => {
      const organizations = request.body.names.map((name) => ({ name }));
      const { organizationIds } = await management.organizations.createMany(
        { organizations },
        { idempotencyKey: randomUUID() },
      );
      reply.code(201);
      return { ids: organizationIds };
    },
  );

  app.post<{ Body: { ids: string[] } }>(
    '/customers/batch-delete',
    { onRequest: guard.requireScopes('org:bulk'), schema: { body: listOf('ids') } },
    async (request) => {
      const outcome: { deleted: string[]; failed: { id: string; code: string }[] } = { deleted: [], failed: [] };
      for (const id of request.body.ids) {
        try {
          await management.organizations.delete(id, { cascade: true });
          outcome.deleted.push(id);
        } catch (error) {
          if (!(error instanceof ManagementError) || error.status !== 404) throw error;
          outcome.failed.push({ id, code: error.code });
        }
      }
      return outcome;
    },
  );

  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = answerTo(error);
    void reply.code(status).send(body);
  });
  return app;
}

/** Lets the scripts of one page read the answers. Tokens travel in a header, never in a cookie, so none is allowed. */
function allowPage(app: FastifyInstance, origin: string): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin');
    if (request.headers.origin === origin) reply.header('access-control-allow-origin', origin);
  });
  app.options('*', (_request, reply) =>
    reply
      .headers({
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-allow-headers': 'authorization, content-type',
      })
      .code(204)
      .send(),
  );
}

const nothingHere = { error: 'not_found' };
const shown = ({ id, name, status }: Organization) => ({ id, name, status });

/** What the person did wrong is said to the person; what the app server itself may not do is not the person's 401 or 403. */
function answerTo(error: unknown): { status: number; body: { error: string; message?: string } } {
  if (error instanceof ManagementError && [400, 409, 412, 422].includes(error.status)) {
    return { status: error.status, body: { error: error.code, message: error.message } };
  }
  if (error instanceof ManagementError && error.status === 404) return { status: 404, body: nothingHere };
  if (error instanceof SekishoError) return { status: 502, body: { error: 'management_unavailable' } };
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  return statusCode < 500
    ? { status: statusCode, body: { error: 'invalid_request', message } }
    : { status: 500, body: { error: 'server_error' } };
}
