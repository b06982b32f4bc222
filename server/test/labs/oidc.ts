/** An OpenID Connect and OAuth 2 provider on loopback to sign in at: the npm package `oidc-provider`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Provider } from 'oidc-provider';
import type {
  OAuth2Configuration,
  OidcConfiguration,
  UserInfoFields,
} from '../../src/upstream/oauth2/configuration.ts';
import { answerInteraction, type LabClient, labAccounts, labProvider } from './oidc-provider.ts';

export interface OidcLab extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How a policy is set up for it. */
  readonly oidc: OidcConfiguration;
  /** The same provider as one of OAuth 2 alone, by its URLs; its user info has a number as `id`. */
  readonly oauth2: OAuth2Configuration;
  close(): Promise<void>;
}

export const noFields: UserInfoFields = {
  id: null,
  email: null,
  emailVerified: null,
  username: null,
  name: null,
  givenName: null,
  familyName: null,
  picture: null,
  groups: null,
};

/** Starts it; it knows one client, with these redirect URIs. */
export async function startOidcLab(
  redirectUris: readonly string[],
  { clientAuthMethod = 'client_secret_basic' as OidcConfiguration['clientAuthMethod'], port = 0 } = {},
): Promise<OidcLab> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client: LabClient = {
    clientId: 'sekisho',
    clientSecret: 'the secret: of a client & of 64 characters, with + and % in it!!',
    redirectUris,
    clientAuthMethod,
  };
  server.on(
    'request',
    handlerOf(
      quietly(() => labProvider(issuer, client)),
      client.clientId,
    ),
  );
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { issuer, ...client, ...configurations(issuer, client), close, [Symbol.asyncDispose]: close };
}

/** It says on the console that http is for development only, which this is. */
function quietly<T>(work: () => T): T {
  const { info, warn } = console;
  console.info = console.warn = () => {};
  try {
    return work();
  } finally {
    Object.assign(console, { info, warn });
  }
}

function handlerOf(provider: Provider, clientId: string) {
  const handle = provider.callback();
  return (request: IncomingMessage, response: ServerResponse) => {
    const fail = (error: unknown) => response.writeHead(500).end(String(error));
    if (request.url?.startsWith('/interaction/')) answerInteraction(provider, clientId, request, response).catch(fail);
    else if (request.url === '/api/user') answerUser(provider, request, response).catch(fail);
    else handle(request, response);
  };
}

/** What providers of OAuth 2 have instead of standard claims: names and shapes of their own. */
async function answerUser(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [scheme, value] = (request.headers.authorization ?? '').split(' ');
  const tokens = provider as unknown as {
    AccessToken: { find(value: string): Promise<{ accountId: string } | undefined> };
  };
  const token = scheme === 'Bearer' ? await tokens.AccessToken.find(value ?? '') : undefined;
  if (token === undefined) return void response.writeHead(401).end();
  const names = Object.keys(labAccounts);
  const { email, name, picture } = labAccounts[token.accountId]!;
  const user = {
    id: 1001 + names.indexOf(token.accountId),
    login: token.accountId,
    contact: { mail: email ?? null, confirmed: true },
    name,
    avatar_url: picture,
  };
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(user));
}

const configurations = (issuer: string, { clientId, clientAuthMethod }: LabClient) => {
  const client = { clientId, clientAuthMethod: clientAuthMethod as OidcConfiguration['clientAuthMethod'] };
  const oidc: OidcConfiguration = {
    ...client,
    issuer,
    scopes: ['profile', 'email', 'groups'],
    responseMode: 'query',
    fields: noFields,
    emailIsVerified: false,
  };
  const oauth2: OAuth2Configuration = {
    ...client,
    issuer: null,
    authorizationUrl: `${issuer}/auth`,
    tokenUrl: `${issuer}/token`,
    userInfoUrl: `${issuer}/api/user`,
    scopes: ['profile', 'email'],
    fields: { ...noFields, id: 'id', username: 'login', email: 'contact.mail', picture: 'avatar_url' },
    emailIsVerified: false,
  };
  return { oidc, oauth2 };
};
