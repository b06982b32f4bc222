/** Signing in on the way to letting a device in: the forms, and the way to an upstream and back. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { devicePath } from '../../protocol/device/start.ts';
import { type DeviceStep, deviceStepOf, type Entry } from '../../protocol/device/verify.ts';
import { signInOffer } from '../../protocol/sign-in/offer-page.ts';
import { protocolContext } from '../request.ts';
import { browserOf } from './cookies.ts';
import { carried, confirmPath, entryInForm, target, toConfirm } from './device-entry.ts';
import { formActionOf } from './headers.ts';
import { sendPage } from './page.ts';
import { afterProblem, problemNamed } from './problems.ts';
import { seeOther, withParameters } from './respond.ts';
import type { PageServices } from './routes.ts';
import { beginAt } from './send-away.ts';
import { keepSession, policyInForm, problemToShow, trySignIn } from './sign-in.ts';
import { askedByUrl, type Sent, type SignInPlace, signInViewing } from './sign-in-place.ts';

type SignInStep = Extract<DeviceStep, { kind: 'sign_in' }>;

/** The page to sign in on. */
export async function showDeviceSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  step: SignInStep,
  entry: Entry,
): Promise<FastifyReply> {
  const problem = problemNamed((request.query as { problem?: unknown }).problem);
  const sent = { ...askedByUrl(request), problem };
  return sendSignIn(services, request, reply, await placeOf(services, request, reply, step, entry), sent);
}

/** Signs in, or shows the form again with what is wrong. */
export async function answerDeviceSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const entry = entryInForm(request);
  const ctx = protocolContext(services, request);
  const step = await deviceStepOf(ctx, entry, browserOf(request));
  // The form was sent twice, or in two tabs.
  if (step.kind !== 'sign_in') return toConfirm(reply, entry);
  const place = await placeOf(services, request, reply, step, entry);
  const outcome = await trySignIn(services, request, place);
  if ('location' in outcome) return seeOther(reply, outcome.location);
  if ('sent' in outcome) return sendSignIn(services, request, reply, place, outcome.sent);
  keepSession(request, reply, outcome.signedIn);
  return toConfirm(reply, entry);
}

/** The person chose where to sign in. */
export async function answerDeviceUpstream(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const entry = entryInForm(request);
  const step = await deviceStepOf(protocolContext(services, request), entry, browserOf(request));
  if (step.kind !== 'sign_in') return toConfirm(reply, entry);
  const place = await placeOf(services, request, reply, step, entry);
  try {
    return seeOther(reply, (await beginAt(services, request, place, policyInForm(request) ?? '')).location);
  } catch (error) {
    return sendSignIn(services, request, reply, place, { problem: await problemToShow(services, request, error) });
  }
}

async function placeOf(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  { client, organizationId }: SignInStep,
  entry: Entry,
): Promise<SignInPlace> {
  const on = { client, organizationId };
  return {
    client: client.name,
    target: on,
    offer: await signInOffer(protocolContext(services, request), on),
    purpose: { kind: 'device', clientId: client.id, organizationId, ...entry },
    uiLocales: [],
    loginHint: undefined,
    person: undefined,
    signedInBy: undefined,
    provesAgain: false,
    formOf: (answer) => target(services, request, reply, `${devicePath}/${answer}`, carried(entry)),
    cancel: undefined,
    url: (parameters) => withParameters(confirmPath, { ...carried(entry), ...parameters }),
    signUpUrl: undefined,
  };
}

function sendSignIn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  place: SignInPlace,
  sent: Sent,
): Promise<FastifyReply> {
  const { problem } = sent;
  return sendPage(
    services,
    request,
    problem === undefined ? reply : afterProblem(reply, problem),
    signInViewing(place, sent),
    { status: problem?.status ?? 200, formAction: formActionOf(...place.offer.leadsTo) },
  );
}
