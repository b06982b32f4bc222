/** Sign-in: what was typed goes to the protocol, and comes back with what is wrong with it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { User } from '../../domain/users/user.ts';
import type { Step } from '../../protocol/authorize/interaction.ts';
import { type SignedIn, signInWithPassword } from '../../protocol/sign-in/sign-in.ts';
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

export async function answerSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  // The form was sent twice, or in two tabs.
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  const identifier = formField(request, 'identifier') ?? '';
  try {
    const signedIn = await signInWithPassword(protocolContext(services, request), {
      identifier,
      password: formField(request, 'password') ?? '',
      ...presented(request),
    });
    return enter(request, reply, step, signedIn);
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    const form = await signInForm(services, request, step, { identifier, problem });
    return sendStepPage(services, request, afterProblem(reply, problem), step, form, { status: problem.status });
  }
}

/** What the browser's cookies say of sign-ins before this one. */
export const presented = (request: FastifyRequest) => ({
  knownDevice: knownDeviceOf(request),
  sessionSecret: browserOf(request).sessionSecret,
});

/** Somebody signed in: the browser gets the session's secret, and the interaction goes on with it. */
export function enter(
  request: FastifyRequest,
  reply: FastifyReply,
  step: PageStep,
  { sessionSecret, knownDevice }: SignedIn,
): FastifyReply {
  setSessionCookie(request, reply, sessionSecret);
  setKnownDeviceCookie(request, reply, knownDevice);
  return seeOther(reply, stepUrl(step));
}
