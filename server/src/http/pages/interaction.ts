/** The steps of an interaction as pages: which one it is, and what the person answers. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  answerConsent,
  cancelInteraction,
  chooseOrganization,
  confirmAccount,
} from '../../protocol/authorize/interaction.ts';
import { protocolContext } from '../request.ts';
import { browserOf } from './cookies.ts';
import { formField, formFieldNames } from './form-body.ts';
import { hostOf } from './links.ts';
import type { Viewing } from './page.ts';
import { sendResponse } from './respond.ts';
import type { PageServices } from './routes.ts';
import { sendSignIn } from './sign-in.ts';
import { answerTarget, currentStep, goOn, interactionId, type PageStep, sendStepPage, stepUrl } from './step.ts';
import { accountView } from './views/account.ts';
import { consentView, organizationField } from './views/consent.ts';
import { organizationView } from './views/organization.ts';

/** Shows the step that is open, or goes on to the client. */
export async function showStep(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  if (step.kind === 'done') return sendResponse(services, request, reply, services.inWordsOfIssuer(step.response));
  if (step.kind === 'sign_in') return sendSignIn(services, request, reply, step);
  return sendStepPage(services, request, reply, step, viewOf(services, request, step));
}

type OtherStep = Exclude<PageStep, { kind: 'sign_in' }>;

function viewOf(services: PageServices, request: FastifyRequest, step: OtherStep): Viewing {
  const target = (answer: string) => answerTarget(services, request, step, answer);
  const cancel = () => target('cancel');
  const { client, redirectUri } = step.interaction;
  switch (step.kind) {
    case 'account':
      return (t) =>
        accountView(t, {
          client: client.name,
          person: step.user,
          target: target('account'),
          cancel: cancel(),
          otherUrl: stepUrl(step, 'sign-in'),
        });
    case 'organization':
      return (t) =>
        organizationView(t, {
          client: client.name,
          organizations: step.organizations,
          target: target('organization'),
          cancel: cancel(),
        });
    case 'consent':
      return (t, locale) =>
        consentView(t, locale, {
          client,
          person: step.user,
          userId: step.user.id,
          organization: step.organization,
          scopes: step.scopes,
          audiences: step.audiences,
          organizations: step.organizations,
          returnsTo: hostOf(redirectUri),
          target: target('consent'),
        });
  }
}

/** The person goes on with the account that is signed in. */
export async function answerAccount(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = protocolContext(services, request);
  return goOn(services, request, reply, await confirmAccount(ctx, interactionId(request), browserOf(request)));
}

/** The person chose an organization. */
export async function answerOrganization(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = protocolContext(services, request);
  const chosen = formField(request, 'organization') ?? '';
  const step = await chooseOrganization(ctx, interactionId(request), browserOf(request), chosen);
  return goOn(services, request, reply, step);
}

/** The person allowed it, or not. */
export async function answerConsentPage(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = protocolContext(services, request);
  const organizationIds = formFieldNames(request)
    .filter((name) => name.startsWith(organizationField))
    .map((name) => name.slice(organizationField.length));
  // Anything but a clear yes is a no.
  const allow = formField(request, 'decision') === 'allow';
  const answer = { allow, organizationIds, userId: formField(request, 'account') ?? '' };
  const step = await answerConsent(ctx, interactionId(request), browserOf(request), answer);
  return goOn(services, request, reply, step);
}

/** The person goes back without anything. */
export async function answerCancel(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = protocolContext(services, request);
  return goOn(services, request, reply, await cancelInteraction(ctx, interactionId(request), browserOf(request)));
}
