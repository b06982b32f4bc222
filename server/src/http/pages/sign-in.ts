/** Sign-in: what was typed goes to the protocol, and comes back with what is wrong with it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { builtInPasswordId } from '../../domain/auth-policies/policy.ts';
import { noteSignedIn } from '../../protocol/authorize/interaction.ts';
import type { Step } from '../../protocol/authorize/page.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { logRefusal } from '../../protocol/refused.ts';
import { signInByForm } from '../../protocol/sign-in/by-form.ts';
import type { SignedIn } from '../../protocol/sign-in/by-password.ts';
import { homeRealmOf } from '../../protocol/sign-in/home-realm.ts';
import { signInOffer } from '../../protocol/sign-in/offer-page.ts';
import { protocolContext } from '../request.ts';
import { brandingOf } from './branding.ts';
import { browserOf, knownDeviceOf, setKnownDeviceCookie, setSessionCookie } from './cookies.ts';
import { formField, formFieldNames } from './form-body.ts';
import { afterProblem, type Problem, problemNamed, problemOf } from './problems.ts';
import { seeOther, withParameters } from './respond.ts';
import type { PageServices } from './routes.ts';
import { beginAt } from './send-away.ts';
import { askedByUrl, type Sent, type SignInPlace, signInViewing } from './sign-in-place.ts';
import { answerTarget, currentStep, goOn, type PageStep, sendStepPage, stepUrl } from './step.ts';

/** The steps at which somebody may sign in; where an account is to be confirmed, another one may be used. */
export type SignInStep = Extract<PageStep, { kind: 'sign_in' | 'account' }>;

export const mayEnter = (step: Step): step is SignInStep => step.kind === 'sign_in' || step.kind === 'account';

/** The sign-in of an interaction. */
export async function placeOf(services: PageServices, request: FastifyRequest, step: SignInStep): Promise<SignInPlace> {
  const { id, client, target, uiLocales } = step.interaction;
  const [{ signUp }, offer] = await Promise.all([
    brandingOf(services, request.site),
    signInOffer(protocolContext(services, request), target),
  ]);
  const asked = step.kind === 'sign_in' ? step : undefined;
  return {
    client: client.name,
    target,
    offer,
    purpose: { kind: 'interaction', clientId: client.id, organizationId: target.organizationId, id },
    uiLocales,
    loginHint: asked?.loginHint,
    person: asked?.reauthenticates,
    signedInBy: asked?.signedInBy,
    provesAgain: asked?.provesAgain ?? true,
    formOf: (answer) => answerTarget(services, request, step, answer),
    cancel: answerTarget(services, request, step, 'cancel'),
    url: (parameters) => withParameters(stepUrl(step, 'sign-in'), parameters),
    signUpUrl: signUp ? stepUrl(step, 'sign-up') : undefined,
  };
}

/** Answers with the sign-in page of an interaction, empty or as it was sent. */
export async function sendSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  step: SignInStep,
  { sent = {}, place }: { sent?: Sent; place?: SignInPlace } = {},
): Promise<FastifyReply> {
  const shown = place ?? (await placeOf(services, request, step));
  const { problem } = sent;
  const options = { status: problem?.status ?? 200 };
  if (problem !== undefined) afterProblem(reply, problem);
  return sendStepPage(services, request, reply, step, signInViewing(shown, sent), options, shown.offer.leadsTo);
}

/** Shows the form also where an account is signed in; `?account=other` asks for anybody. */
export async function showSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  const problem = problemNamed((request.query as { problem?: unknown }).problem);
  return sendSignIn(services, request, reply, step, { sent: { ...askedByUrl(request), problem } });
}

/** Signs in, goes on to where the person signs in, or shows the form again with what is wrong. */
export async function answerSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  // The form was sent twice, or in two tabs.
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  const place = await placeOf(services, request, step);
  const outcome = await trySignIn(services, request, place);
  if ('signedIn' in outcome) return enter(services, request, reply, step, outcome.signedIn);
  if ('location' in outcome) return seeOther(reply, outcome.location);
  return sendSignIn(services, request, reply, step, { ...outcome, place });
}

/** What came of a form: somebody signed in, signs in elsewhere, or sees the form again. */
export type SignInOutcome = { signedIn: SignedIn } | { location: string } | { sent: Sent };

/** Signs in with what the form holds, or tells what is wrong that the person can do something about. */
export async function trySignIn(
  services: PageServices,
  request: FastifyRequest,
  place: SignInPlace,
): Promise<SignInOutcome> {
  const identifier = formField(request, 'identifier') ?? '';
  const again = { identifier, policyId: formField(request, 'policy'), hasName: true };
  try {
    return await signInWith(services, request, place, identifier);
  } catch (error) {
    return { sent: { ...again, problem: await problemToShow(services, request, error) } };
  }
}

async function signInWith(
  services: PageServices,
  request: FastifyRequest,
  place: SignInPlace,
  identifier: string,
): Promise<SignInOutcome> {
  const { target, offer } = place;
  const ctx = protocolContext(services, request);
  const policyId = policyInForm(request) ?? builtInPasswordId;
  const realm = await homeRealmOf(ctx, offer, identifier);
  // What was typed as a password is for neither of us.
  if (realm?.kind === 'redirect') return beginAt(services, request, place, realm.policyId);
  if (realm !== undefined && realm.policyId !== policyId) {
    return { sent: { identifier, policyId: realm.policyId, hasName: true } };
  }
  const isName = offer.asksNameFirst && !formFieldNames(request).includes('password');
  if (isName && offer.forms.some((form) => form.policyId === policyId)) {
    return { sent: { identifier, policyId, hasName: true } };
  }
  const password = formField(request, 'password') ?? '';
  const signedIn = await signInByForm(ctx, { policyId, target, identifier, password, ...presented(request) });
  return { signedIn };
}

/** The policy that the form names. Throws the refusal `policy_unknown` of what can be no id. */
export function policyInForm(request: FastifyRequest): string | undefined {
  const policyId = formField(request, 'policy');
  if (policyId === undefined || /^[a-z0-9]{1,64}$/.test(policyId)) return policyId;
  throw new Refusal('policy_unknown', { detail: 'not an id' });
}

/** The problem behind an error, in words; throws the error when there are none for it. */
export async function problemToShow(services: PageServices, request: FastifyRequest, error: unknown): Promise<Problem> {
  const problem = problemOf(error);
  if (problem === undefined) throw error;
  // The other ones were logged where they came from.
  if (error instanceof Refusal && error.reason === 'policy_unknown') {
    await logRefusal(protocolContext(services, request), 'user.sign_in_failed', error);
  }
  return problem;
}

/** What the browser's cookies say of sign-ins before this one. */
export const presented = (request: FastifyRequest) => ({
  knownDevice: knownDeviceOf(request),
  sessionSecret: browserOf(request).sessionSecret,
});

/** The browser gets what shows that somebody signed in. */
export function keepSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { sessionSecret, knownDevice }: SignedIn,
): void {
  setSessionCookie(request, reply, sessionSecret);
  setKnownDeviceCookie(request, reply, knownDevice);
}

/** Somebody signed in: the interaction goes on with that. */
export async function enter(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  step: PageStep,
  signedIn: SignedIn,
): Promise<FastifyReply> {
  await noteSignedIn(protocolContext(services, request), step.interaction.id, signedIn.sessionId);
  keepSession(request, reply, signedIn);
  return seeOther(reply, stepUrl(step));
}
