/** The page that is open of a request, with what it shows; where none is, the answer to the client. */
import type { SignInTarget } from '../../domain/auth-policies/offers.ts';
import type { User } from '../../domain/users/user.ts';
import type { ProtocolContext } from '../context.ts';
import { sessionOf } from '../sign-in/sessions.ts';
import { loadPerson } from '../tokens/person.ts';
import {
  type NamedOrganization,
  type NamedScope,
  organizationsOf,
  type RequestedAudience,
  requestedScopes,
} from './choices.ts';
import type { AuthorizationResponse, Browser } from './request.ts';
import { refusedTo } from './respond.ts';
import { asksForOrganizations } from './steps.ts';
import { finish, openStepOf, strangerTo, type UnderWay, useUp } from './under-way.ts';

/** What every page shows of the request. */
export interface InteractionView {
  readonly id: string;
  readonly client: {
    readonly id: string;
    readonly name: string;
    readonly firstParty: boolean;
    readonly logoUri?: string | undefined;
    readonly clientUri?: string | undefined;
    readonly policyUri?: string | undefined;
    readonly tosUri?: string | undefined;
  };
  readonly uiLocales: readonly string[];
  /** For what people sign in. */
  readonly target: SignInTarget;
  /** Where the browser goes at the end. */
  readonly redirectUri: string;
}

/** The page that is open, or the end. */
export type Step =
  | {
      readonly kind: 'sign_in';
      readonly interaction: InteractionView;
      readonly loginHint: string | undefined;
      /** Who is signed in and has to prove it again. */
      readonly reauthenticates: User | undefined;
      /** By which auth policy, before. */
      readonly signedInBy: string | undefined;
      /** An upstream has to ask the person too, whoever is signed in there. */
      readonly provesAgain: boolean;
    }
  | { readonly kind: 'account'; readonly interaction: InteractionView; readonly user: User }
  | {
      readonly kind: 'organization';
      readonly interaction: InteractionView;
      readonly user: User;
      readonly organizations: readonly NamedOrganization[];
    }
  | {
      readonly kind: 'consent';
      readonly interaction: InteractionView;
      readonly user: User;
      readonly scopes: readonly NamedScope[];
      readonly audiences: readonly RequestedAudience[];
      /** To choose from; undefined where none is asked for. */
      readonly organizations: readonly NamedOrganization[] | undefined;
      /** The one that was asked for. */
      readonly organization: NamedOrganization | undefined;
    }
  | { readonly kind: 'done'; readonly response: AuthorizationResponse };

/** The page that is open for whoever is signed in in this browser; `agreedNow`: it consented just now. */
export async function advance(
  ctx: ProtocolContext,
  underWay: UnderWay,
  browser: Browser,
  agreedNow = false,
): Promise<Step> {
  const session = await sessionOf(ctx, browser.sessionSecret);
  const step = await openStepOf(ctx, underWay, session, agreedNow);
  const interaction = viewOf(underWay);
  const { request } = underWay;
  if (step === 'sign_in' || session === undefined) {
    const known = session === undefined ? undefined : await loadPerson(ctx, session.userId);
    // Somebody else was asked for: the one who is signed in is not offered.
    const fits = request.hintedUserId === null || request.hintedUserId === known?.id;
    return {
      kind: 'sign_in',
      interaction,
      loginHint: request.loginHint ?? undefined,
      reauthenticates: fits && !request.prompts.includes('select_account') ? known : undefined,
      signedInBy: session?.authPolicyId,
      provesAgain: asksAgain(request) || (known !== undefined && !fits),
    };
  }
  const user = (await loadPerson(ctx, session.userId)) as User;
  if (step === 'account') return { kind: 'account', interaction, user };
  if (step === 'organization') {
    return { kind: 'organization', interaction, user, organizations: await organizationsOf(ctx, user.id) };
  }
  const stranger = await strangerTo(ctx, underWay, session);
  if (stranger !== undefined) {
    await useUp(ctx, underWay);
    return { kind: 'done', response: await refusedTo(ctx, underWay.profile, request, stranger) };
  }
  if (step === 'consent') return consentPage(ctx, underWay, interaction, user);
  return { kind: 'done', response: await finish(ctx, underWay, session) };
}

const asksAgain = ({ prompts, maxAgeSeconds }: UnderWay['request']): boolean =>
  maxAgeSeconds !== null || prompts.includes('login') || prompts.includes('select_account');

async function consentPage(
  ctx: ProtocolContext,
  { request, organizationId }: UnderWay,
  interaction: InteractionView,
  user: User,
): Promise<Step> {
  const [asked, own] = await Promise.all([
    requestedScopes(ctx, { ...request, organizationId }),
    organizationsOf(ctx, user.id),
  ]);
  return {
    kind: 'consent',
    interaction,
    user,
    ...asked,
    organization: own.find(({ id }) => id === organizationId),
    organizations: asksForOrganizations({ request, organizationId }) && organizationId === null ? own : undefined,
  };
}

const viewOf = ({ row, client, request, organizationId }: UnderWay): InteractionView => ({
  id: row?.id ?? '',
  client: {
    id: client.id,
    name: client.name,
    firstParty: client.firstParty,
    logoUri: client.signIn.logoUri,
    clientUri: client.signIn.clientUri,
    policyUri: client.signIn.policyUri,
    tosUri: client.signIn.tosUri,
  },
  uiLocales: request.uiLocales,
  target: { client, organizationId },
  redirectUri: request.redirectUri,
});
