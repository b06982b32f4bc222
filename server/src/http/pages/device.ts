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
import { answerDeviceEntry, deviceStepOf, type Entry, enterUserCode } from '../../protocol/device/verify.ts';
import { protocolContext } from '../request.ts';
import { browserOf } from './cookies.ts';
import { carried, confirmPath, entryInForm, target, toConfirm } from './device-entry.ts';
import { showDeviceSignIn } from './device-sign-in.ts';
import { formField } from './form-body.ts';
import { knownBrowser, sendPage } from './page.ts';
import { afterProblem, type Problem, problemOf } from './problems.ts';
import { seeOther } from './respond.ts';
import type { PageServices } from './routes.ts';
import { deviceCodeView, deviceConfirmView, deviceDoneView } from './views/device.ts';

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
    return showDeviceSignIn(services, request, reply, step, entry);
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
