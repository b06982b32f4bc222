/** Somebody makes an account on the way to an application, where the tenant lets people do so. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { assertSignUpOn, signUp } from '../../protocol/sign-in/sign-up.ts';
import { protocolContext } from '../request.ts';
import { formField } from './form-body.ts';
import { afterProblem, type Problem, problemOf } from './problems.ts';
import type { PageServices } from './routes.ts';
import { enter, mayEnter, presented, type SignInStep } from './sign-in.ts';
import { answerTarget, currentStep, goOn, sendStepPage, stepUrl } from './step.ts';
import { signUpView } from './views/sign-up.ts';

/** Shows the form. Throws the refusal `sign_up_off`. */
export async function showSignUp(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  await assertSignUpOn(protocolContext(services, request), step.interaction.target);
  return sendForm(services, request, reply, step);
}

/** Makes the account and signs in, or shows the form again with what is wrong. */
export async function answerSignUp(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  try {
    const signedIn = await signUp(protocolContext(services, request), {
      target: step.interaction.target,
      identifier: formField(request, 'identifier') ?? '',
      name: formField(request, 'name'),
      password: formField(request, 'password') ?? '',
      ...presented(request),
    });
    return await enter(services, request, reply, step, signedIn);
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return sendForm(services, request, afterProblem(reply, problem), step, problem);
  }
}

/** The form, with what was sent of it. */
function sendForm(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  step: SignInStep,
  problem?: Problem,
): Promise<FastifyReply> {
  const target = answerTarget(services, request, step, 'sign-up');
  return sendStepPage(
    services,
    request,
    reply,
    step,
    (t) =>
      signUpView(t, {
        client: step.interaction.client.name,
        target,
        signInUrl: stepUrl(step, 'sign-in'),
        identifier: formField(request, 'identifier'),
        name: formField(request, 'name'),
        ...(problem?.field === undefined
          ? { problem: problem?.text(t) }
          : { problems: { [problem.field]: problem.text(t) } }),
      }),
    { status: problem?.status ?? 200 },
  );
}
