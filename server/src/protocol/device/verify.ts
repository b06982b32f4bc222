/**
 * The person's side of a device's sign-in (RFC 8628 §3.3), as the page asks for it.
 *
 *   type the code (counted, so that nobody guesses) ──► entry: a note for this browser ──► sign in ──► see what the
 *   device asks ──► say yes or no, by our form, in this browser, as the person the page was shown to
 *
 * Who only has a link, or a code that another browser typed, gets no further than the first step.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { authorizationRowOf } from '../../domain/authorizations/authorizations.ts';
import { addConsent } from '../../domain/consents/consents.ts';
import {
  answerDevice,
  type DeviceAuthorization,
  findByUserCode,
} from '../../domain/device-authorizations/device-authorizations.ts';
import { shownUserCode, typedUserCode } from '../../domain/device-authorizations/user-code.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import type { User } from '../../domain/users/user.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { audiencesAsked, type NamedScope, type RequestedAudience, requestedScopes } from '../authorize/choices.ts';
import { grantedEvent, grantedInSession } from '../authorize/granted.ts';
import type { Browser } from '../authorize/request.ts';
import { strangerTo, takesPolicyOf } from '../authorize/under-way.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { sessionOf } from '../sign-in/sessions.ts';
import { isIdentityScope } from '../tokens/identity-scopes.ts';
import { loadPerson } from '../tokens/person.ts';
import { countedEntry } from './entry-limit.ts';

/** A code that was typed in a browser. */
export interface Entry {
  /** As people see it. */
  readonly userCode: string;
  /** Good in that browser only. */
  readonly note: string;
}

/** A device that waits, with its client. */
interface Waiting {
  readonly device: DeviceAuthorization;
  readonly client: ClientFacts;
}

/** What the page shows next. */
export type DeviceStep =
  | { readonly kind: 'sign_in'; readonly client: ClientFacts; readonly organizationId: string | null }
  | {
      readonly kind: 'confirm';
      readonly client: ClientFacts;
      readonly user: User;
      readonly scopes: readonly NamedScope[];
      readonly audiences: readonly RequestedAudience[];
    };

/** Somebody types a code. Throws the refusals `user_code_unknown`, `rate_limited`, logged. */
export async function enterUserCode(
  ctx: ProtocolContext,
  typed: string,
  browser: Browser & { browserSecret: string },
): Promise<Entry> {
  const { device } = await countedEntry(ctx, browser, async () => {
    const code = typedUserCode(typed);
    const found = code === undefined ? undefined : await waitingFor(ctx, code);
    if (found === undefined) throw new Refusal('user_code_unknown');
    return found;
  });
  const { userCode: code } = device;
  const note = noteOf(ctx, { device: nameOf(device), code, browserSecret: browser.browserSecret });
  return { userCode: shownUserCode(code), note };
}

/** What is open for whoever is signed in. Throws the refusal `user_code_unknown`. */
export async function deviceStepOf(ctx: ProtocolContext, entry: Entry, browser: Browser): Promise<DeviceStep> {
  const { device, client } = await entered(ctx, entry, browser);
  const { organizationId } = device;
  const session = await sessionOf(ctx, browser.sessionSecret);
  // Whoever signed in by a policy that is not offered here signs in again by one that is.
  if (session === undefined || !(await takesPolicyOf(ctx, { client, organizationId }, session))) {
    return { kind: 'sign_in', client, organizationId };
  }
  await assertMember(ctx, { device, client }, session);
  const [user, asked] = await Promise.all([loadPerson(ctx, session.userId), requestedScopes(ctx, device)]);
  return { kind: 'confirm', client, user: user as User, ...asked };
}

/**
 * The person says yes or no; undefined when the page must be shown again, because nobody is signed in any more, or
 * somebody else than the page was shown to, or in another way. Throws the refusal `user_code_unknown`.
 */
export async function answerDeviceEntry(
  ctx: ProtocolContext,
  entry: Entry,
  browser: Browser,
  answer: { allow: boolean; userId: string },
): Promise<'approved' | 'denied' | undefined> {
  const waiting = await entered(ctx, entry, browser);
  const session = await sessionOf(ctx, browser.sessionSecret);
  if (session === undefined || session.userId !== answer.userId) return undefined;
  if (!answer.allow) {
    await deny(ctx, waiting, session);
    return 'denied';
  }
  const target = { client: waiting.client, organizationId: waiting.device.organizationId };
  if (!(await takesPolicyOf(ctx, target, session))) return undefined;
  await assertMember(ctx, waiting, session);
  await approve(ctx, waiting, session);
  return 'approved';
}

async function waitingFor(ctx: ProtocolContext, userCode: string): Promise<Waiting | undefined> {
  const device = await findByUserCode(ctx.services, ctx.site.tenantId, userCode);
  if (device === undefined) return undefined;
  const { client } = await loadClientFacts(ctx, device.clientId);
  return client?.status === 'active' ? { device, client } : undefined;
}

/**
 * The device, when this browser typed its code. Whatever is wrong is told alike, and without a good note nothing is
 * looked for: how long that takes would tell whether there is such a code, and this is not counted.
 */
async function entered(ctx: ProtocolContext, { userCode, note }: Entry, { browserSecret }: Browser): Promise<Waiting> {
  const unknown = new Refusal('user_code_unknown');
  const code = typedUserCode(userCode);
  const [device = ''] = note.split('.');
  if (code === undefined || browserSecret === undefined) throw unknown;
  const [given, expected] = [Buffer.from(note), Buffer.from(noteOf(ctx, { device, code, browserSecret }))];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw unknown;
  const waiting = await waitingFor(ctx, code);
  if (waiting === undefined || nameOf(waiting.device) !== device) throw unknown;
  return waiting;
}

/** Tells which device had the code then. */
const nameOf = ({ hash }: DeviceAuthorization): string => hash.slice(0, 16);

const noteOf = (
  { services, site }: ProtocolContext,
  { device, code, browserSecret }: { device: string; code: string; browserSecret: string },
): string => {
  const mac = createHmac('sha256', services.cipher.deriveKey('device entries'))
    .update(JSON.stringify([site.tenantId, device, code, browserSecret]))
    .digest('base64url');
  return `${device}.${mac}`;
};

async function assertMember(ctx: ProtocolContext, { device, client }: Waiting, session: Session): Promise<void> {
  const stranger = await strangerTo(ctx, { client, organizationId: device.organizationId }, session);
  if (stranger !== undefined) throw stranger;
}

async function approve(ctx: ProtocolContext, { device, client }: Waiting, session: Session): Promise<void> {
  const { db, clock, random, journal } = ctx.services;
  const { tenantId } = ctx.site;
  const now = clock.now();
  const { scopes, audiences, organizationId } = device;
  const authorization = grantedInSession(session, {
    id: randomBase64Url(random, 12),
    issuer: device.issuer,
    clientId: client.id,
    scopes,
    audiences,
    organizationId,
    createdAt: now,
    // Until the device fetches its tokens.
    expiresAt: device.expiresAt,
  });
  const answer = { tenantId, hash: device.hash, now };
  await db.transact(async (trx) => {
    if (!(await answerDevice(trx, answer, authorization.id))) throw new Refusal('user_code_unknown');
    await trx.insertInto('authorizations').values(authorizationRowOf(tenantId, authorization)).execute();
    await journal.within(trx, grantedEvent(ctx, client, authorization, 'device'));
  });
  if (client.firstParty) return;
  const organizationIds = organizationId === null ? [] : [organizationId];
  const who = { userId: session.userId, clientId: client.id };
  const given = { scopes, audiences: audiencesAsked(device), organizationIds };
  await addConsent(ctx.services, tenantId, who, given, isIdentityScope);
}

async function deny(ctx: ProtocolContext, { device, client }: Waiting, session: Session): Promise<void> {
  const { db, clock, journal } = ctx.services;
  const { tenantId } = ctx.site;
  await db.transact(async (trx) => {
    const isFirst = await answerDevice(trx, { tenantId, hash: device.hash, now: clock.now() }, null);
    if (!isFirst) throw new Refusal('user_code_unknown');
    await journal.within(trx, {
      tenantId,
      kind: 'authorization.refused',
      clientId: client.id,
      clientName: client.name,
      userId: session.userId,
      reason: 'person_refused',
      description: 'the person refused a device',
      ...ctx.origin,
    });
  });
}
