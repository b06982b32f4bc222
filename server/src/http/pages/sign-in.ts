/** Sign-in: what was typed goes to the protocol, and comes back with what is wrong with it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { User } from '../../domain/users/user.ts';
import type { Step } from '../../protocol/authorize/page.ts';
import { type SignedIn, signInWithPassword } from '../../protocol/sign-in/by-password.ts';
import { protocolContext } from '../request.ts';
import { brandingOf } from './branding.ts';
import { browserOf, knownDeviceOf, setKnownDeviceCookie, setSessionCookie } from './cookies.ts';
import { formField } from './form-body.ts';
import type { Viewing } from './page.ts';
import { afterProblem, type Problem, problemOf } from './problems.ts';
import { seeOther } from './respond.ts';
import type { PageServices } from './routes.ts';
import { answerTarget, currentStep, goOn, type PageStep, sendStepPage, stepUrl } from './step.ts';
import { identifierOf } from './views/parts.ts';
import { signInView } from './views/sign-in.ts';

/** The steps at which somebody may sign in; where an account is to be confirmed, another one may be used. */
export type SignInStep = Extract<PageStep, { kind: 'sign_in' | 'account' }>;

export const mayEnter = (step: Step): step is SignInStep => step.kind === 'sign_in' || step.kind === 'account';

/** The person who is asked to prove it again, unless somebody else wants to sign in. */
function expectedPerson(step: SignInStep, identifier: string | undefined): User | undefined {
  const person = step.kind === 'sign_in' ? step.reauthenticates : undefined;
  return person === undefined || identifier === undefined || identifier === identifierOf(person) ? person : undefined;
}

/** The sign-in form, empty or as it was sent. */
export async function signInForm(
  services: PageServices,
  request: FastifyRequest,
  step: SignInStep,
  sent: { identifier?: string | undefined; problem?: Problem } = {},
): Promise<Viewing> {
  const reauthenticates = expectedPerson(step, sent.identifier);
  const { signUp: offersSignUp } = await brandingOf(services, request.site);
  return (t) =>
    signInView(t, {
      client: step.interaction.client.name,
      target: answerTarget(services, request, step, 'sign-in'),
      cancel: answerTarget(services, request, step, 'cancel'),
      identifier: sent.identifier ?? (step.kind === 'sign_in' ? step.loginHint : undefined),
      reauthenticates,
      otherUrl: `${stepUrl(step, 'sign-in')}?account=other`,
      signUpUrl: offersSignUp ? stepUrl(step, 'sign-up') : undefined,
      problem: sent.problem?.text(t),
    });
}

/** Shows the form also where an account is signed in; `?account=other` asks for anybody. */
export async function showSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  // A name that nobody has: the form is for anybody.
  const { account } = request.query as { account?: unknown };
  const sent = account === 'other' ? { identifier: '' } : {};
  return sendStepPage(services, request, reply, step, await signInForm(services, request, step, sent));
}

/** Signs in, or shows the form again with what is wrong. */
export async function answerSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  // The form was sent twice, or in two tabs.
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  const outcome = await trySignIn(services, request);
  if ('signedIn' in outcome) return enter(request, reply, step, outcome.signedIn);
  const { problem } = outcome;
  const identifier = formField(request, 'identifier') ?? '';
  const form = await signInForm(services, request, step, { identifier, problem });
  return sendStepPage(services, request, afterProblem(reply, problem), step, form, { status: problem.status });
}

/** Signs in with what the form holds, or tells what is wrong that the person can do something about. */
export async function trySignIn(
  services: PageServices,
  request: FastifyRequest,
): Promise<{ signedIn: SignedIn } | { problem: Problem }> {
  try {
    const signedIn = await signInWithPassword(protocolContext(services, request), {
      identifier: formField(request, 'identifier') ?? '',
      password: formField(request, 'password') ?? '',
      ...presented(request),
    });
    return { signedIn };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return { problem };
  }
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
export function enter(request: FastifyRequest, reply: FastifyReply, step: PageStep, signedIn: SignedIn): FastifyReply {
  keepSession(request, reply, signedIn);
  return seeOther(reply, stepUrl(step));
}
