/** Starts the app server; see README.md beside. */
import { OAuthClient } from '@sekisho/client';
import { createManagementClient } from '@sekisho/client/management';
import { buildApp } from './app.ts';

const { ISSUER = 'http://localhost:8480/', AUDIENCE = 'https://app.example', PORT = '3001' } = process.env;
/** Whose scripts may call the app: the page of examples/react. */
const { PAGE_ORIGIN = 'http://localhost:3002' } = process.env;
/** Where the management API is, if the people's tokens come from another issuer. */
const { MANAGEMENT_ISSUER = ISSUER, APP_ID = '', APP_SECRET = '' } = process.env;

const auth = new OAuthClient({ issuer: MANAGEMENT_ISSUER, clientId: APP_ID, clientSecret: APP_SECRET });
const management = createManagementClient({ baseUrl: new URL(MANAGEMENT_ISSUER).origin, auth });
/** The server has two issuers, one for each family of clients; a person may come with a token of either. */
const issuer = [ISSUER, new URL('oidc', ISSUER).href];
const app = buildApp({ issuer, audience: AUDIENCE }, management, PAGE_ORIGIN);

console.log(`App server on ${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
