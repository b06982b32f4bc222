/**
 * FAPI 2.0 Security Profile, variant `fapi_client_credentials_grant`: `private_key_jwt` and DPoP. The resource is the
 * management API.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type Answer, type Engine, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { type IssuerKey, issuers } from '../sign-in/support.ts';
import { assertionType, keyPair, sign } from '../token/assertions.ts';
import { type Holder, holder, type ProofChanges, proofOf } from '../token/dpop-proofs.ts';
import { withoutLimits } from '../token/refusals.ts';
import { assertMetadata } from './metadata.ts';
import { discover, type Metadata, module } from './relying-party.ts';

/** What a token request carries; undefined leaves a part out. */
interface Changes {
  assertion?: { header?: Record<string, unknown>; claims?: Record<string, unknown> } | null;
  proof?: ProofChanges | null;
  parameters?: Record<string, string>;
  as?: Party;
}

interface Party {
  clientId: string;
  signs: ReturnType<typeof keyPair>;
  alg: string;
  holds: Holder;
}

for (const issuer of Object.keys(issuers) as IssuerKey[]) {
  eachEngine(`FAPI 2.0, client credentials, ${issuer}`, (engine) => suite(issuer, engine));
}

function suite(issuer: IssuerKey, engine: Engine): void {
  let server: TestServer;
  let metadata: Metadata;
  const clock = new TestClock();
  let first: Party;
  let second: Party;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    metadata = await discover(server, issuers[issuer].issuer(server));
    [first, second] = await Promise.all([party('ES256'), party('PS256')]);
  });
  after(() => server.close());

  async function party(alg: 'ES256' | 'PS256'): Promise<Party> {
    const signs = keyPair(alg);
    const { clientId } = await machineOf({ alg, jwk: signs.jwk });
    return { clientId, signs, alg, holds: holder('ES256') };
  }

  async function machineOf({ alg, jwk }: { alg: string; jwk: Record<string, unknown> }) {
    const client = await server.manage('POST', '/clients', {
      name: 'FAPI',
      app_type: 'non_interactive',
      require_proof_of_possession: true,
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', jwk, alg, name: 'key' }] },
      },
    });
    const audience = server.managementAudience;
    await server.manage('POST', '/client-grants', { client_id: client.client_id, audience, scope: ['read:clients'] });
    return { clientId: client.client_id as string };
  }

  const seconds = () => Math.floor(clock.now() / 1000);

  async function tokenRequest(changes: Changes = {}): Promise<Answer> {
    const { clientId, signs, alg, holds } = changes.as ?? first;
    const { assertion, proof, parameters = {} } = changes;
    const form: Record<string, string> = {
      grant_type: 'client_credentials',
      scope: 'read:clients',
      resource: server.managementAudience,
    };
    if (assertion !== null) {
      const claims = { iss: clientId, sub: clientId, aud: metadata.issuer, jti: randomUUID() };
      const times = { iat: seconds(), exp: seconds() + 60 };
      form.client_assertion_type = assertionType;
      form.client_assertion = await sign(
        signs.privateKey,
        { alg, ...assertion?.header },
        { ...claims, ...times, ...assertion?.claims },
      );
    }
    const headers: Record<string, string> = {};
    if (proof !== null) {
      headers.dpop = await proofOf(holds, 'POST', metadata.token_endpoint, { now: clock.now(), ...proof });
    }
    return server.request('POST', new URL(metadata.token_endpoint).pathname, {
      form: { ...form, ...parameters },
      headers,
    });
  }

  async function token(changes: Changes = {}): Promise<string> {
    const answer = await tokenRequest(changes);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.body.refresh_token, undefined);
    assert.equal(answer.body.id_token, undefined);
    const { cnf } = decodeJwt(answer.body.access_token);
    assert.deepEqual(cnf, { jkt: (changes.as ?? first).holds.thumbprint });
    return answer.body.access_token;
  }

  const resource = () => `${server.managementAudience}clients`;

  async function callResource(
    accessToken: string,
    {
      scheme = 'DPoP',
      proof = {},
      by = first.holds,
    }: { scheme?: string; proof?: ProofChanges | null; by?: Holder } = {},
  ): Promise<Answer> {
    const headers: Record<string, string> = { authorization: `${scheme} ${accessToken}` };
    if (proof !== null) {
      headers.dpop = await proofOf(by, 'GET', resource(), { token: accessToken, now: clock.now(), ...proof });
    }
    return server.request('GET', new URL(resource()).pathname, { headers });
  }

  async function refused(changes: Changes, error: RegExp): Promise<void> {
    const state = await server.stateHash();
    const answer = await tokenRequest(changes);
    assert.ok(answer.status === 400 || answer.status === 401, answer.text);
    assert.match(answer.body.error, error);
    assert.equal(answer.body.access_token, undefined);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(await server.stateHash(), state);
  }
  const client = /^invalid_client$/;
  const dpop = /^invalid_dpop_proof$/;

  module('fapi2-security-profile-final-discovery-end-point-verification', async () => {
    await assertMetadata(server, metadata);
    assert.ok(metadata.grant_types_supported.includes('client_credentials'));
    assert.ok(metadata.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
    for (const alg of ['PS256', 'ES256']) {
      assert.ok(metadata.token_endpoint_auth_signing_alg_values_supported.includes(alg), alg);
      assert.ok(metadata.dpop_signing_alg_values_supported.includes(alg), alg);
    }
    assert.ok(!metadata.dpop_signing_alg_values_supported.includes('RS256'));
  });

  module('fapi2-security-profile-final-happy-flow', async () => {
    for (const as of [first, second]) {
      const accessToken = await token({ as });
      assert.notEqual(decodeProtectedHeader(accessToken).alg, 'none');
      const answer = await callResource(accessToken, { by: as.holds });
      assert.equal(answer.status, 200, answer.text);
    }
    // A token of one is nothing to the other.
    assert.equal((await callResource(await token(), { by: second.holds })).status, 401);
  });

  module('fapi2-security-profile-final-access-token-type-header-case-sensitivity', async () => {
    const accessToken = await token();
    for (const scheme of ['DPoP', 'dpop', 'DPOP', 'dPoP']) {
      assert.equal((await callResource(accessToken, { scheme })).status, 200, scheme);
    }
  });

  module('fapi2-security-profile-final-check-dpop-proof-nbf-exp', async () => {
    const claims = { nbf: seconds(), exp: seconds() + 300 };
    assert.equal((await callResource(await token({ proof: { claims } }), { proof: { claims } })).status, 200);
  });

  module('fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds', async () => {
    const claims = { iat: seconds() - 10 };
    assert.equal((await callResource(await token({ proof: { claims } }), { proof: { claims } })).status, 200);
  });

  module('fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds', async () => {
    const claims = { iat: seconds() + 10 };
    assert.equal((await callResource(await token({ proof: { claims } }), { proof: { claims } })).status, 200);
  });

  module('fapi2-security-profile-final-ensure-client-id-in-token-endpoint', async () => {
    // The assertion says who asks; another client named beside it is a contradiction.
    await token({ parameters: { client_id: first.clientId } });
    await refused({ parameters: { client_id: second.clientId } }, client);
  });

  module('fapi2-security-profile-final-ensure-holder-of-key-required', async () => {
    await refused({ proof: null }, dpop);
    const accessToken = await token();
    assert.equal((await callResource(accessToken, { proof: null })).status, 401);
    assert.equal((await callResource(accessToken, { scheme: 'Bearer', proof: null })).status, 401);
    assert.equal((await callResource(accessToken, { scheme: 'Bearer' })).status, 401);
  });

  module('fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails', async () => {
    await refused({ as: { ...second, alg: 'RS256' } }, client);
  });

  module('fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint', async () => {
    // Auth0's word, where a client that names itself has no right proof.
    const word = issuer === 'root' ? /^access_denied$/ : client;
    await refused({ assertion: null }, client);
    await refused({ assertion: null, parameters: { client_id: first.clientId } }, word);
    await refused({ assertion: null, parameters: { client_id: first.clientId, client_secret: 'anything' } }, word);
  });

  module('fapi2-security-profile-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', async () => {
    await refused({ assertion: { claims: { iat: seconds() - 360, exp: seconds() - 300 } } }, client);
  });

  module('fapi2-security-profile-final-ensure-client-assertion-with-wrong-aud-fails', async () => {
    const { issuer, token_endpoint } = metadata;
    for (const aud of ['https://other.example/', token_endpoint, [issuer, 'https://other.example/'], `${issuer}x`]) {
      await refused({ assertion: { claims: { aud } } }, client);
    }
  });

  module('fapi2-security-profile-final-ensure-client-assertion-with-no-sub-fails', async () => {
    await refused({ assertion: { claims: { sub: undefined } } }, client);
    await refused({ assertion: { claims: { sub: undefined } }, parameters: { client_id: first.clientId } }, client);
  });

  module('fapi2-security-profile-final-dpop-negative-tests', async () => {
    const privateJwk = first.holds.privateKey.export({ format: 'jwk' });
    /** For the token endpoint and the resource alike. */
    const wrong: Record<string, ProofChanges> = {
      'another method': { claims: { htm: 'PUT' } },
      'no method': { claims: { htm: undefined } },
      'another address': { claims: { htu: 'https://other.example/' } },
      'no address': { claims: { htu: undefined } },
      'no jti': { claims: { jti: undefined } },
      'no time': { claims: { iat: undefined } },
      'from ten minutes ago': { claims: { iat: seconds() - 600 } },
      'from in ten minutes': { claims: { iat: seconds() + 600 } },
      'another type': { header: { typ: 'JWT' } },
      'no type': { header: { typ: undefined } },
      'no key': { header: { jwk: undefined } },
      'a private key': { header: { jwk: privateJwk } },
      'another key': { header: { jwk: second.holds.jwk } },
      'a key of another algorithm': { header: { jwk: { ...first.holds.jwk, crv: 'P-384' } } },
    };
    const accessToken = await token();
    for (const [what, proof] of Object.entries(wrong)) {
      await refused({ proof }, dpop);
      assert.equal((await callResource(accessToken, { proof })).status, 401, what);
    }
    // At the resource the proof is of this token too.
    for (const ath of [undefined, 'wrong', 'A'.repeat(43)]) {
      assert.equal((await callResource(accessToken, { proof: { claims: { ath } } })).status, 401);
    }
    // A proof is good once.
    const jti = randomUUID();
    const claims = { jti };
    assert.equal((await callResource(accessToken, { proof: { claims } })).status, 200);
    assert.equal((await callResource(accessToken, { proof: { claims } })).status, 401);
    const again = { claims: { jti: randomUUID() } };
    await token({ proof: again });
    await refused({ proof: again }, dpop);
    assert.equal((await callResource(accessToken)).status, 200, 'a good one still is');
  });
}
