/** Asks whether a policy's upstream can be reached and answers as it should, as far as that shows without a person. */
import { logText } from '../../kernel/text.ts';
import { UpstreamError, type UpstreamFailure } from '../../upstream/identity.ts';
import type { UpstreamServices } from '../../upstream/redirect.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { type AuthPolicySecrets, authPolicyOf, secretsOf, type TypedConfiguration } from './policy.ts';
import { loadPolicyRow } from './read-policies.ts';

export type PolicyTest =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: UpstreamFailure; readonly message: string };

/** What came of it; the reason goes behind. */
const sentences: Readonly<Record<UpstreamFailure, string>> = {
  credentials_refused: 'It does not accept what the policy proves itself with',
  denied: 'It refuses requests of this policy',
  unavailable: 'It can not be reached, was late, or is out of order',
  untrusted: 'It can not prove who it is (certificate, StartTLS), or a password would go in the clear',
  answer_invalid: "Its answer breaks the protocol's rules",
  misconfigured: 'It does not accept how the policy is set up',
  forbidden: 'This server does not go to its address; see SEKISHO_ALLOW_PRIVATE_TARGETS',
};

/** As the log has it of a sign-in: what an upstream wrote at length is told to nobody. */
const messageOf = ({ failure, message }: UpstreamError): string =>
  `${sentences[failure]} (${logText(message)?.replace(/\.$/, '')}).`;

/** Throws `entity.not_found`, `auth.organization_token`. Slow: never inside a transaction. */
export async function testPolicy(ctx: Context, id: string): Promise<PolicyTest> {
  assertWholeTenant(ctx, 'test auth policies');
  const row = await loadPolicyRow(ctx, ctx.db.read, id);
  try {
    await ask(ctx, authPolicyOf(row), secretsOf(ctx, row));
    return { ok: true };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    ctx.logger.info({ policyId: id, failure: error.failure, why: error.message }, 'the test of an auth policy failed');
    return { ok: false, failure: error.failure, message: messageOf(error) };
  }
}

/** Loaded where it is needed: most servers ask few of them, and seldom. */
async function ask(
  ctx: Context,
  { type, configuration }: TypedConfiguration,
  secrets: AuthPolicySecrets,
): Promise<void> {
  const services: UpstreamServices = { guard: ctx.outgoing, random: ctx.random, clock: ctx.clock };
  switch (type) {
    case 'password':
      return;
    case 'ldap':
      return (await import('../../upstream/ldap/check.ts')).testLdap(services, configuration, secrets);
    case 'oauth1':
      return (await import('../../upstream/oauth1/upstream.ts')).oauth1Upstream.test(services, configuration, secrets);
    case 'oauth2':
      return (await import('../../upstream/oauth2/upstream.ts')).oauth2Upstream.test(services, configuration, secrets);
    case 'openid':
      return (await import('../../upstream/oidc/upstream.ts')).oidcUpstream.test(services, configuration, secrets);
  }
}
