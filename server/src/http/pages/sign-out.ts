/** Sign-out as pages: whether the person means it, and what comes after. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type AfterSignOut,
  confirmEndSession,
  type EndSessionOutcome,
} from '../../protocol/end-session/end-session.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { browserOf, clearSessionCookie } from './cookies.ts';
import { formTarget } from './csrf.ts';
import { formField } from './form-body.ts';
import { formActionOf } from './headers.ts';
import { knownBrowser, sendPage } from './page.ts';
import { seeOther, withParameters } from './respond.ts';
import type { PageServices } from './routes.ts';
import { signOutView, staySignedInView } from './views/sign-out.ts';

/** What the form carries along. */
export interface SignOutForm extends AfterSignOut {
  readonly uiLocales: string | undefined;
}

/** Asks the person, or goes on to where the application wants the browser; without that, to a page of ours. */
export async function sendOutcome(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: EndSessionOutcome,
  asked: SignOutForm,
): Promise<FastifyReply> {
  if (outcome.kind === 'confirm') return ask(services, request, reply, outcome, asked);
  clearSessionCookie(request, reply);
  const { redirect } = outcome;
  if (redirect === undefined) {
    const { uiLocales: ui_locales } = asked;
    return seeOther(reply, withParameters('/signed-out', ui_locales === undefined ? {} : { ui_locales }));
  }
  const { uri, state } = redirect;
  return seeOther(reply, withParameters(uri, state === undefined ? {} : { state }));
}

function ask(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  { client, person }: Extract<EndSessionOutcome, { kind: 'confirm' }>,
  { postLogoutRedirectUri, state, uiLocales }: SignOutForm,
): Promise<FastifyReply> {
  const carried = {
    client_id: client?.id,
    post_logout_redirect_uri: postLogoutRedirectUri,
    state,
    ui_locales: uiLocales,
  };
  const fields = Object.entries(carried).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const target = formTarget(services, request, knownBrowser(services, request, reply), '/sign-out');
  const data = { target, client: client?.name, person, fields: Object.fromEntries(fields) as Record<string, string> };
  return sendPage(services, request, reply, (t) => signOutView(t, data), {
    uiLocales: uiLocales?.split(' ', 32),
    ...(postLogoutRedirectUri === undefined ? {} : { formAction: formActionOf(postLogoutRedirectUri) }),
  });
}

/** The person signs out, or stays. */
export async function answerSignOut(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = {
    clientId: formField(request, 'client_id'),
    postLogoutRedirectUri: formField(request, 'post_logout_redirect_uri'),
    state: formField(request, 'state'),
    uiLocales: formField(request, 'ui_locales'),
  };
  // Anything but a clear yes is a no.
  if (formField(request, 'decision') !== 'sign_out') {
    return sendPage(services, request, reply, staySignedInView, { uiLocales: asked.uiLocales?.split(' ', 32) });
  }
  const { sessionSecret } = browserOf(request);
  const outcome = await confirmEndSession(protocolContext(services, request), asked, sessionSecret);
  return sendOutcome(services, request, reply, outcome, asked);
}
