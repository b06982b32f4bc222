/** The `oidc-provider` of the lab: its people, its client, and a sign-in page of two buttons. */
import { generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';

export interface LabAccount {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly given_name?: string;
  readonly family_name?: string;
  readonly preferred_username?: string;
  readonly picture?: string;
  readonly groups?: readonly string[];
}

/** Who can sign in, by what is typed; there are no passwords. */
export const labAccounts: Readonly<Record<string, LabAccount>> = {
  alice: {
    email: 'alice@example.com',
    email_verified: true,
    name: 'Alice Example',
    given_name: 'Alice',
    family_name: 'Example',
    preferred_username: 'alice',
    picture: 'https://example.com/alice.png',
    groups: ['staff', 'admins'],
  },
  bob: { email: 'bob@example.com', email_verified: false, name: 'Bob Example', preferred_username: 'bob' },
  carol: { name: '山田 花子', preferred_username: 'carol' },
  /** Of whose address nobody says anything. */
  dave: { email: 'dave@example.com', name: 'Dave Example', preferred_username: 'dave' },
  /** Whose names trip whoever decodes once too often, or cuts at the wrong character. */
  erin: {
    email: 'erin+app@example.com',
    email_verified: true,
    name: `Erin "50% + é" D'Arcy = a&b?c#d \\ %41 🚀 山田`,
    given_name: '%25',
    family_name: 'ÅÄÖ #_=_',
    preferred_username: 'erin',
  },
};

export interface LabClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly clientAuthMethod?: string;
}

const scopes = ['openid', 'profile', 'email', 'groups'];

export function labProvider(issuer: string, client: LabClient): Provider {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: client.redirectUris,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        scope: scopes.join(' '),
        token_endpoint_auth_method: client.clientAuthMethod ?? 'client_secret_basic',
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', 'picture'],
      groups: ['groups'],
    },
    cookies: { keys: ['a key of cookies that nobody else has'] },
    features: { devInteractions: { enabled: false } },
    async findAccount(_ctx: unknown, id: string) {
      return { accountId: id, claims: async () => ({ sub: id, ...labAccounts[id] }) };
    },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'lab', use: 'sig', alg: 'RS256' }] },
    pkce: { required: () => true },
    scopes,
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
}

/** The page asks who it is; its buttons are yes and no. Whoever signed in agrees to everything. */
export async function answerInteraction(
  provider: Provider,
  clientId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const details = (await provider.interactionDetails(request, response)) as {
    prompt: { name: string };
    session?: { accountId: string };
  };
  if (details.prompt.name === 'consent') {
    const grant = new provider.Grant({ accountId: details.session!.accountId, clientId });
    grant.addOIDCScope(scopes.join(' '));
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }
  if (request.method !== 'POST') return page(response, 200, '');
  const form = new URLSearchParams(await text(request));
  if (form.get('answer') === 'deny') {
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  }
  const accountId = form.get('login') ?? '';
  if (!Object.hasOwn(labAccounts, accountId)) return page(response, 401, 'Nobody of that name.');
  await provider.interactionFinished(request, response, { login: { accountId } });
}

function page(response: ServerResponse, status: number, alert: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<title>Provider of the lab</title>
<link rel="icon" href="data:,">
<h1>Provider of the lab</h1>
<p role="alert">${alert}</p>
<form method="post">
<label>Name <input name="login" autofocus></label>
<button name="answer" value="approve">Sign in</button>
<button name="answer" value="deny">Deny</button>
</form>`);
}
