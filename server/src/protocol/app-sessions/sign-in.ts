/** An app asks for somebody to be signed in. */
import { isForm } from '../../domain/auth-policies/policy.ts';
import { logText } from '../../kernel/text.ts';
import type { UpstreamIdentity } from '../../upstream/identity.ts';
import type { ProtocolContext } from '../context.ts';
import { loggingRefusal } from '../refused.ts';
import { signInByForm } from '../sign-in/by-form.ts';
import { type AppEnd, ticketForApp } from '../sign-in/redirect.ts';
import { appOf, assertEnd, policyForApp } from './apps.ts';

export interface AppSignIn {
  /** Id of the application. */
  readonly clientId: string;
  /** Name of the policy. */
  readonly policyName: string;
  /** Where the browser goes after a redirect; undefined: to a page of ours. */
  readonly end: AppEnd | undefined;
  /** The app's own name for the device; shown to administrators. */
  readonly device: string | undefined;
  readonly identifier: string;
  readonly password: string;
}

export interface AppSignedIn {
  readonly userId: string;
  /** The app's; good for nothing a browser's cookie is good for. */
  readonly sessionSecret: string;
  /** Where an upstream vouched for the person. */
  readonly identity?: UpstreamIdentity | undefined;
}

/** Signed in, or a ticket to open in a browser. */
export type AppSignInAnswer = { readonly signedIn: AppSignedIn } | { readonly ticket: string };

/**
 * Signs somebody in to an app, or begins it. Throws `app_unknown`, `policy_unknown`, `end_redirect_unregistered`,
 * `rate_limited`, and what `signInByForm` throws.
 */
export async function signInToApp(ctx: ProtocolContext, asked: AppSignIn): Promise<AppSignInAnswer> {
  const { client, policy } = await loggingRefusal(ctx, 'authorization.refused', () => resolve(ctx, asked));
  const device = logText(asked.device);
  if (!isForm(policy.type)) {
    const { end = null } = asked;
    const purpose = { kind: 'app', clientId: client.id, organizationId: null, end, device } as const;
    return { ticket: await ticketForApp(ctx, policy.id, purpose) };
  }
  const { userId, sessionSecret, identity } = await signInByForm(ctx, {
    policyId: policy.id,
    target: { client, organizationId: null },
    identifier: asked.identifier,
    password: asked.password,
    app: { clientId: client.id, device },
  });
  return { signedIn: { userId, sessionSecret, identity } };
}

async function resolve(ctx: ProtocolContext, { clientId, policyName, end }: AppSignIn) {
  const client = await appOf(ctx, clientId);
  const policy = await policyForApp(ctx, client, policyName);
  // Where nobody is sent away nobody comes back.
  if (end !== undefined && !isForm(policy.type)) assertEnd(client, end);
  return { client, policy };
}
