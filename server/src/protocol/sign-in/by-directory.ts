/** A person proves who it is by a name and a password that a directory knows (LDAP). */
import { createHash } from 'node:crypto';
import type { PolicyOfType } from '../../domain/auth-policies/policy.ts';
import type { AppOfSession } from '../../domain/sessions/begin.ts';
import { foldCase } from '../../domain/users/identity.ts';
import { passwordIsTooLong } from '../../domain/users/passwords.ts';
import { UpstreamError } from '../../upstream/identity.ts';
import type { ProtocolContext } from '../context.ts';
import { type Entered, enterByIdentity } from './admission.ts';
import { beginAttempt, failedAttempt, refuseUnreadable } from './attempts.ts';
import { deviceIdOf, notesAfter } from './known-device.ts';
import { asking, type PolicyWithSecrets, upstreamServices } from './upstreams.ts';

/** What was typed, and what the browser's cookies hold. */
export interface DirectorySignIn {
  readonly identifier: string;
  readonly password: string;
  readonly knownDevice?: string | undefined;
  readonly sessionSecret?: string | undefined;
  readonly app?: AppOfSession | undefined;
}

const longestName = 320;

/**
 * Signs a person in whom the directory accepts. Throws `sign_in_failed`, `rate_limited`, `upstream_unavailable`, and as
 * `enterByIdentity` does.
 */
export async function signInByDirectory(
  ctx: ProtocolContext,
  { policy, secrets }: PolicyWithSecrets<PolicyOfType<'ldap'>>,
  input: DirectorySignIn,
): Promise<Entered & { knownDevice: string }> {
  const user = input.identifier.trim();
  if (user === '' || user.length > longestName || !user.isWellFormed() || passwordIsTooLong(input.password)) {
    return refuseUnreadable(ctx);
  }
  const canonical = `${policy.id} ${countedAs(user)}`;
  const account = accountOf(canonical);
  const attempt = beginAttempt(ctx, canonical, deviceIdOf(ctx, account, input.knownDevice));
  try {
    const identity = await asking(ctx, policy.id, async () => {
      const { authenticateLdap } = await import('../../upstream/ldap/authenticate.ts');
      const credentials = { user, password: input.password };
      return authenticateLdap(upstreamServices(ctx), policy.configuration, secrets, credentials).catch(
        async (error) => {
          if (!(error instanceof UpstreamError && error.failure === 'credentials_refused')) throw error;
          const about = { policyId: policy.id, detail: error.message };
          throw await failedAttempt(ctx, attempt, 'upstream_credentials_refused', about);
        },
      );
    });
    const entered = await enterByIdentity(ctx, policy, identity, { presented: input.sessionSecret, app: input.app });
    return { ...entered, knownDevice: notesAfter(ctx, account, input.knownDevice) };
  } finally {
    attempt.end();
  }
}

/**
 * A name as tries are counted: without what some directory ignores (case, accents, what is not drawn, more than one space;
 * RFC 4518, Active Directory), so that no spelling of one name begins a new count. Two people may share one.
 */
const countedAs = (user: string): string =>
  foldCase(user)
    .normalize('NFKD')
    .replace(/[\p{M}\p{C}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/\p{Z}+/gu, ' ')
    .trim();

/** What a browser's note is about: the name in the directory, since its password is not known here. */
const accountOf = (canonical: string) => ({
  id: createHash('sha256').update(canonical).digest('base64url'),
  passwordHash: '',
});
