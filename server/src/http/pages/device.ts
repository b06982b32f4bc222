/**
 * The page people let a device in on (RFC 8628 §3.3). A link may bring the code along; it is typed, or agreed to, by a
 * form all the same, and only the browser that sent that form sees what comes next.
 *
 *   GET  /device            asks for the code
 *   POST /device            takes it ──► /device/confirm
 *   GET  /device/confirm    sign-in, or what the device asks
 *   POST /device/sign-in    ──► /device/confirm
 *   POST /device/upstream   ──► somewhere else, and back ──► /device/confirm
 *   POST /device/confirm    the answer ──► /device/connected, /device/declined
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { devicePath } from '../../protocol/device/start.ts';
import {
  answerDeviceEntry,
  type DeviceStep,
  deviceStepOf,
  type Entry,
  enterUserCode,
} from '../../protocol/device/verify.ts';
import { signInOffer } from '../../protocol/sign-in/offer-page.ts';
import { protocolContext } from '../request.ts';
import { browserOf } from './cookies.ts';
import { formTarget } from './csrf.ts';
import type { FormTarget } from './fields.ts';
import { formField } from './form-body.ts';
import { formActionOf } from './headers.ts';
import { knownBrowser, sendPage } from './page.ts';
import { afterProblem, type Problem, problemNamed, problemOf } from './problems.ts';
import { seeOther, withParameters } from './respond.ts';
import type { PageServices } from './routes.ts';
import { beginAt } from './send-away.ts';
import { keepSession, policyInForm, problemToShow, trySignIn } from './sign-in.ts';
import { askedByUrl, type Sent, type SignInPlace, signInViewing } from './sign-in-place.ts';
import { deviceCodeView, deviceConfirmView, deviceDoneView } from './views/device.ts';

const confirmPath = `${devicePath}/confirm`;

export const showDevice = (
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => sendCodeForm(services, request, reply, inQuery(request, 'user_code'));

/** Takes the code, or asks for it again. */
export async function answerDeviceCode(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const typed = formField(request, 'user_code') ?? '';
  const browserSecret = knownBrowser(services, request, reply);
  try {
    const browser = { ...browserOf(request), browserSecret };
    return toConfirm(reply, await enterUserCode(protocolContext(services, request), typed, browser));
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return sendCodeForm(services, request, afterProblem(reply, problem), typed, problem);
  }
}

export const showDeviceConfirm = (
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> =>
  sendStep(services, request, reply, {
    userCode: inQuery(request, 'user_code') ?? '',
    note: inQuery(request, 'entry') ?? '',
  });

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

/** The person lets the device in, or not. */
export async function answerDeviceConfirm(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const entry = entryInForm(request);
  // Anything but a clear yes is a no.
  const allow = formField(request, 'decision') === 'allow';
  const answer = { allow, userId: formField(request, 'account') ?? '' };
  const outcome = await answerDeviceEntry(protocolContext(services, request), entry, browserOf(request), answer);
  if (outcome === undefined) return toConfirm(reply, entry);
  return seeOther(reply, `${devicePath}/${outcome === 'approved' ? 'connected' : 'declined'}`);
}

const done = (connected: boolean) => (services: PageServices, request: FastifyRequest, reply: FastifyReply) =>
  sendPage(services, request, reply, (t) => deviceDoneView(t, connected));

export const showDeviceConnected = done(true);
export const showDeviceDeclined = done(false);

function inQuery(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  return typeof value === 'string' ? value.slice(0, 128) : undefined;
}

const entryInForm = (request: FastifyRequest): Entry => ({
  userCode: formField(request, 'user_code') ?? '',
  note: formField(request, 'entry') ?? '',
});

const toConfirm = (reply: FastifyReply, { userCode, note }: Entry): FastifyReply =>
  seeOther(reply, withParameters(confirmPath, { user_code: userCode, entry: note }));

function target(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  fields: Record<string, string> = {},
): FormTarget {
  return { ...formTarget(services, request, knownBrowser(services, request, reply), path), fields };
}

const carried = ({ userCode, note }: Entry): Record<string, string> => ({ user_code: userCode, entry: note });

function sendCodeForm(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  userCode: string | undefined,
  problem?: Problem,
): Promise<FastifyReply> {
  const form = target(services, request, reply, devicePath);
  return sendPage(
    services,
    request,
    reply,
    (t) => deviceCodeView(t, { target: form, userCode, problem: problem?.text(t) }),
    { status: problem?.status ?? 200 },
  );
}

async function sendStep(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  entry: Entry,
): Promise<FastifyReply> {
  const step = await deviceStepOf(protocolContext(services, request), entry, browserOf(request));
  if (step.kind === 'sign_in') {
    const problem = problemNamed((request.query as { problem?: unknown }).problem);
    const sent = { ...askedByUrl(request), problem };
    return sendSignIn(services, request, reply, await placeOf(services, request, reply, step, entry), sent);
  }
  const { client, user, scopes, audiences } = step;
  const form = target(services, request, reply, confirmPath, { ...carried(entry), account: user.id });
  return sendPage(services, request, reply, (t, locale) =>
    deviceConfirmView(t, locale, {
      client: { name: client.name, ...client.signIn },
      person: user,
      userCode: entry.userCode,
      scopes,
      audiences,
      target: form,
    }),
  );
}

async function placeOf(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  { client, organizationId }: Extract<DeviceStep, { kind: 'sign_in' }>,
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
