/** Starts the app server; see README.md beside. */
import { OAuthClient } from '@sekisho/client';
import { createManagementClient } from '@sekisho/client/management';
import { buildApp } from './app.ts';

const { ISSUER = 'http://localhost:8480/', AUDIENCE = 'https://app.example', PORT = '3001' } = process.env;
/** Where the management API is, if the people's tokens come from another issuer. */
const { MANAGEMENT_ISSUER = ISSUER, APP_ID = '', APP_SECRET = '' } = process.env;

const auth = new OAuthClient({ issuer: MANAGEMENT_ISSUER, clientId: APP_ID, clientSecret: APP_SECRET });
const management = createManagementClient({ baseUrl: new URL(MANAGEMENT_ISSUER).origin, auth });
const app = buildApp({ issuer: ISSUER, audience: AUDIENCE }, management);

console.log(`App server on ${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
