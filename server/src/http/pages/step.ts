/** What the pages of an interaction share: where it is, where its forms go, what comes after an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stepOf } from '../../protocol/authorize/interaction.ts';
import type { Step } from '../../protocol/authorize/page.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { protocolContext } from '../request.ts';
import { browserOf } from './cookies.ts';
import { formTarget } from './csrf.ts';
import type { FormTarget } from './fields.ts';
import { formActionOf } from './headers.ts';
import { type PageOptions, sendPage, type Viewing } from './page.ts';
import { seeOther, sendResponse } from './respond.ts';
import type { PageServices } from './routes.ts';

/** A step that shows a page. */
export type PageStep = Exclude<Step, { kind: 'done' }>;

export const interactionId = (request: FastifyRequest): string => (request.params as { id: string }).id;

/** The step that the request's interaction is at. Throws the refusal `interaction_unknown`. */
export const currentStep = (services: PageServices, request: FastifyRequest): Promise<Step> =>
  stepOf(protocolContext(services, request), interactionId(request), browserOf(request));

export const stepUrl = (step: PageStep, answer?: string): string =>
  `/interaction/${encodeURIComponent(step.interaction.id)}${answer === undefined ? '' : `/${answer}`}`;

/** The form that answers a step, bound to the browser the interaction belongs to. */
export function answerTarget(
  services: PageServices,
  request: FastifyRequest,
  step: PageStep,
  answer: string,
): FormTarget {
  const { browserSecret } = browserOf(request);
  if (browserSecret === undefined) throw new Refusal('interaction_unknown');
  return formTarget(services, request, browserSecret, stepUrl(step, answer));
}

/** Answers with a page of an interaction: in its languages, and with forms that may lead on to its client, or elsewhere. */
export function sendStepPage(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  step: PageStep,
  viewing: Viewing,
  options: PageOptions = {},
  leadsTo: readonly string[] = [],
): Promise<FastifyReply> {
  const { redirectUri, uiLocales } = step.interaction;
  return sendPage(services, request, reply, viewing, {
    ...options,
    ...(uiLocales.length > 0 ? { uiLocales } : {}),
    formAction: formActionOf(redirectUri, ...leadsTo),
  });
}

/** After an answer: on to the client, or to the next step, so that a reload never sends a form again. */
export function goOn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  step: Step,
): Promise<FastifyReply> | FastifyReply {
  return step.kind === 'done'
    ? sendResponse(services, request, reply, services.inWordsOfIssuer(step.response))
    : seeOther(reply, stepUrl(step));
}
