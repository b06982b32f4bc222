/** The page behind the link that a first start prints: it makes the first administrator, once. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isSetupLink, useSetupLink } from '../../domain/setup/use-setup-link.ts';
import { notFound } from '../../kernel/errors.ts';
import { contextOf } from '../../protocol/sign-in/open-session.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { formTarget } from './csrf.ts';
import { formField } from './form-body.ts';
import { knownBrowser, sendPage } from './page.ts';
import { afterProblem, type Problem, problemOf } from './problems.ts';
import { seeOther } from './respond.ts';
import { setupDoneView, setupView } from './views/setup.ts';

/** Shows the form of a link that is good. Throws `entity.not_found`. */
export async function showSetup(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { token } = request.query as { token?: unknown };
  const ctx = contextOf(protocolContext(services, request));
  if (typeof token !== 'string' || !(await isSetupLink(ctx, token))) throw notFound('setup link');
  return sendForm(services, request, reply, token);
}

/** Makes the administrator, or shows the form again with what is wrong. */
export async function answerSetup(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const token = formField(request, 'token') ?? '';
  try {
    await useSetupLink(contextOf(protocolContext(services, request)), {
      token,
      identifier: formField(request, 'identifier') ?? '',
      name: formField(request, 'name'),
      password: formField(request, 'password') ?? '',
    });
    return seeOther(reply, '/setup/done');
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return sendForm(services, request, afterProblem(reply, problem), token, problem);
  }
}

export const showSetupDone = (
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => sendPage(services, request, reply, setupDoneView);

function sendForm(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  link: string,
  problem?: Problem,
): Promise<FastifyReply> {
  const target = formTarget(services, request, knownBrowser(services, request, reply), '/setup');
  const sent = { identifier: formField(request, 'identifier'), name: formField(request, 'name') };
  return sendPage(
    services,
    request,
    reply,
    (t) => {
      // An administrator is known by an e-mail address only.
      const text = problem?.field === 'identifier' ? t.emailWrong : problem?.text(t);
      const said = problem?.field === undefined ? { problem: text } : { problems: { [problem.field]: text as string } };
      return setupView(t, { target, link, ...sent, ...said });
    },
    { status: problem?.status ?? 200 },
  );
}
