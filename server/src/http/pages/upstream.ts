/**
 * People who prove who they are elsewhere: the browser is sent away, and comes back.
 *
 *   POST /interaction/:id/upstream, /device/upstream   ──► the upstream
 *   POST /sign-in/callback/:policyId                   ──► the same by GET (OAuth 2.0 Form Post Response Mode)
 *   GET  /sign-in/callback/:policyId                   ──► where it began, signed in or with what is wrong
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { malformed } from '../../kernel/errors.ts';
import { noteSignedIn } from '../../protocol/authorize/interaction.ts';
import { devicePath } from '../../protocol/device/start.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { finishRedirect, type UpstreamPurpose } from '../../protocol/sign-in/redirect.ts';
import { parseForm } from '../edge/form.ts';
import { protocolContext } from '../request.ts';
import { pageCallbackPath } from '../upstream-callbacks.ts';
import { browserOf, setSessionCookie } from './cookies.ts';
import { problemNamed } from './problems.ts';
import { seeOther, withParameters } from './respond.ts';
import type { PageServices } from './routes.ts';
import { beginAt } from './send-away.ts';
import { mayEnter, placeOf, policyInForm, problemToShow, sendSignIn } from './sign-in.ts';
import { currentStep, goOn } from './step.ts';

/** The person chose where to sign in. */
export async function answerUpstream(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const step = await currentStep(services, request);
  if (!mayEnter(step)) return goOn(services, request, reply, step);
  const place = await placeOf(services, request, step);
  try {
    return seeOther(reply, (await beginAt(services, request, place, policyInForm(request) ?? '')).location);
  } catch (error) {
    const problem = await problemToShow(services, request, error);
    return sendSignIn(services, request, reply, step, { sent: { problem }, place });
  }
}

/** As much as the address of a request may hold. */
const longestReturn = 8000;

/**
 * A form from another site comes without our cookies; the browser brings them when it asks for the same by GET. This does
 * nothing by itself, so it needs no proof that the form is ours.
 */
export async function passOnReturn(
  _services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const fields = request.body instanceof Map ? (request.body as ReadonlyMap<string, string>) : new Map();
  const location = withParameters(
    `${pageCallbackPath}/${encodeURIComponent(policyIdOf(request))}`,
    Object.fromEntries(fields),
  );
  if (location.length > longestReturn) throw malformed('The form is too large.');
  return seeOther(withoutReferrer(reply), location);
}

/** The browser is back: signs in, or says where it began why not. Throws the refusal `upstream_state_unknown`. */
export async function finishUpstream(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  withoutReferrer(reply);
  const query = (request.raw.url ?? '').split('?').slice(1).join('?');
  const ctx = protocolContext(services, request);
  const { purpose, entered, refusal } = await finishRedirect(ctx, {
    parameters: new URLSearchParams([...parseForm(query)]),
    redirectUri: `${request.site.origin}${pageCallbackPath}/${policyIdOf(request)}`,
    ...secretsOf(request),
  });
  if (purpose.kind === 'app') throw new Refusal('upstream_state_unknown', { detail: 'of an app' });
  if (entered !== undefined) {
    if (purpose.kind === 'interaction') await noteSignedIn(ctx, purpose.id, entered.sessionId);
    setSessionCookie(request, reply, entered.sessionSecret);
    return seeOther(reply, whereItBegan(purpose));
  }
  if (problemNamed(refusal?.reason) === undefined) throw refusal;
  return seeOther(reply, whereItBegan(purpose, refusal?.reason));
}

const secretsOf = (request: FastifyRequest) => {
  const { browserSecret, sessionSecret } = browserOf(request);
  return { browserSecret, sessionSecret };
};

const policyIdOf = (request: FastifyRequest): string => (request.params as { policyId: string }).policyId;

/** The address holds a code. */
const withoutReferrer = (reply: FastifyReply): FastifyReply => reply.header('referrer-policy', 'no-referrer');

function whereItBegan(purpose: Exclude<UpstreamPurpose, { kind: 'app' }>, problem?: string): string {
  const said: Record<string, string> = problem === undefined ? {} : { problem };
  if (purpose.kind === 'device') {
    return withParameters(`${devicePath}/confirm`, { user_code: purpose.userCode, entry: purpose.note, ...said });
  }
  const path = `/interaction/${encodeURIComponent(purpose.id)}`;
  return problem === undefined ? path : withParameters(`${path}/sign-in`, said);
}
