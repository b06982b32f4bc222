/**
 * What a request still needs of a person, in one place for every door: the first page that must be shown, or none.
 * Pure: it gets facts and answers.
 */
import type { Consent } from '../../domain/consents/consents.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import { isIdentityScope, organizationsScope } from '../tokens/identity-scopes.ts';
import { audiencesAsked } from './choices.ts';
import type { AuthorizationRequest } from './request.ts';

export interface StepFacts {
  readonly request: AuthorizationRequest;
  readonly client: { readonly firstParty: boolean; readonly organizationUsage: 'deny' | 'allow' | 'require' };
  readonly session: Session | undefined;
  /** Whether the policy the session was begun by is taken here. */
  readonly takesPolicy: boolean;
  /** Now, in milliseconds. */
  readonly now: number;
  /** When the request came, in milliseconds. */
  readonly askedAt: number;
  /** The session that was begun, or whose account was confirmed, on the request's own page. */
  readonly accountSessionId: string | null;
  /** Asked for, or chosen on the page. */
  readonly organizationId: string | null;
  readonly consent: Consent | undefined;
  /** The person agreed on the page just now. */
  readonly agreedNow: boolean;
}

export type StepName = 'sign_in' | 'account' | 'organization' | 'consent' | 'none';

/** The first step that is still open. */
export function openStep(facts: StepFacts): StepName {
  const { session } = facts;
  if (session === undefined || !facts.takesPolicy || mustSignInAgain(facts, session)) return 'sign_in';
  if (mustConfirmAccount(facts, session)) return 'account';
  if (facts.client.organizationUsage === 'require' && facts.organizationId === null) return 'organization';
  return mustConsent(facts) ? 'consent' : 'none';
}

/**
 * Whether the person has to prove again who it is. A sign-in on the request's own page is one; on another one an upstream
 * may not have been told to ask.
 */
function mustSignInAgain({ request, now, askedAt, accountSessionId }: StepFacts, session: Session): boolean {
  const signedInHere = session.authenticatedAt >= askedAt && accountSessionId === session.id;
  if (request.prompts.includes('login') && !signedInHere) return true;
  if (request.hintedUserId !== null && request.hintedUserId !== session.userId) return true;
  const { maxAgeSeconds } = request;
  // A sign-in on this page is as fresh as can be, also with `max_age=0`.
  return maxAgeSeconds !== null && !signedInHere && now - session.authenticatedAt > maxAgeSeconds * 1000;
}

const mustConfirmAccount = ({ request, askedAt, accountSessionId }: StepFacts, session: Session): boolean =>
  request.prompts.includes('select_account') && session.authenticatedAt < askedAt && accountSessionId !== session.id;

/** Clients of our own need no consent; others once for what they ask, and again when they ask for that. */
function mustConsent({ request, client, consent, agreedNow, organizationId }: StepFacts): boolean {
  if (client.firstParty || agreedNow) return false;
  if (consent === undefined || request.prompts.includes('consent')) return true;
  const audiences = audiencesAsked({ ...request, organizationId });
  // Without an API the scopes of APIs say nothing.
  const scopes = audiences.length === 0 ? request.scopes.filter(isIdentityScope) : request.scopes;
  return (
    !scopes.every((scope) => consent.scopes.includes(scope)) ||
    !audiences.every((audience) => consent.audiences.includes(audience)) ||
    (organizationId !== null && !consent.organizationIds.includes(organizationId))
  );
}

/** Whether the page of consent also asks for organizations. */
export const asksForOrganizations = ({ request, organizationId }: Pick<StepFacts, 'request' | 'organizationId'>) =>
  request.scopes.includes(organizationsScope) || organizationId !== null;
