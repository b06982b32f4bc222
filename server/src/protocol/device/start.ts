/** The device authorization endpoint (RFC 8628 §3.1): a device without a keyboard asks for a code that a person types. */
import {
  deviceIntervalSeconds,
  deviceLifetimeMs,
  insertDeviceAuthorization,
} from '../../domain/device-authorizations/device-authorizations.ts';
import { newUserCode, shownUserCode } from '../../domain/device-authorizations/user-code.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { isScopeToken } from '../../kernel/text.ts';
import { audiencesOf, maximumLength } from '../authorize/check-request.ts';
import type { PresentedBinding } from '../binding/binding.ts';
import { bindingOf } from '../binding/present.ts';
import { authenticateClient } from '../client-auth/authenticate.ts';
import type { PresentedCredentials } from '../client-auth/presented.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { guarded } from '../refused.ts';

export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code';

/** Where people type the code, below the tenant's origin. */
export const devicePath = '/device';

export interface DeviceAsk {
  readonly credentials: PresentedCredentials;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly organization: string | undefined;
  readonly binding: PresentedBinding;
}

/** RFC 8628 §3.2. */
export interface DeviceAnswer {
  readonly deviceCode: string;
  /** As the device shows it. */
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

/** Begins a device's sign-in. Throws a `Refusal`. */
export function startDevice(ctx: ProtocolContext, profile: IssuerProfile, ask: DeviceAsk): Promise<DeviceAnswer> {
  return guarded(ctx, 'authorization.refused', ask, async (about) => {
    const { credentials } = ask;
    const facts = await loadClientFacts(ctx, credentials.clientId ?? '');
    about.clientName = facts.client?.name;
    const client = await authenticateClient(ctx, profile, facts.client, credentials, { publicClients: true });
    if (client.status !== 'active') throw new Refusal('client_disabled', { clientId: client.id });
    if (!client.grantTypes.includes(deviceGrantType)) {
      throw new Refusal('grant_type_not_allowed', { clientId: client.id, grantType: deviceGrantType });
    }
    await bindingOf(ctx, client, ask.binding);
    if (!ask.scopes.every(isScopeToken) || ask.scopes.join(' ').length > maximumLength) {
      throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'scope' });
    }
    if ((ask.organization ?? '').length > maximumLength) {
      throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'organization' });
    }
    assertOrganizationUsage(ask, client);
    return keep(ctx, {
      issuer: profile.name,
      clientId: client.id,
      // The person is always asked, so `offline_access` stands as it was asked for.
      scopes: ask.scopes,
      audiences: await audiencesOf(ctx, profile, ask, client, facts.defaultAudience),
      organizationId: ask.organization ?? null,
    });
  });
}

/** There is no page on which the person would choose one. */
function assertOrganizationUsage({ organization }: DeviceAsk, { id, signIn }: ClientFacts): void {
  const { organizationUsage = 'allow' } = signIn;
  const isWrong = organization === undefined ? organizationUsage === 'require' : organizationUsage === 'deny';
  if (isWrong) throw new Refusal('parameter_invalid', { clientId: id, parameter: 'organization' });
}

/** Twice the same user code among those that wait is next to impossible; this often it is a fault. */
const mostTries = 5;

async function keep(ctx: ProtocolContext, request: Parameters<typeof insertDeviceAuthorization>[3]) {
  const { services, site } = ctx;
  services.limits.signIn.countBegun(site.tenantId, ctx.origin.ip ?? '');
  const deviceCode = randomBase64Url(services.random, 32);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const userCode = newUserCode(services.random);
    if (!(await insertDeviceAuthorization(services, site.tenantId, { deviceCode, userCode }, request))) continue;
    const shown = shownUserCode(userCode);
    const verificationUri = `${site.origin}${devicePath}`;
    return {
      deviceCode,
      userCode: shown,
      verificationUri,
      verificationUriComplete: `${verificationUri}?user_code=${shown}`,
      expiresInSeconds: deviceLifetimeMs / 1000,
      intervalSeconds: deviceIntervalSeconds,
    };
  }
  throw new Error('no user code is free');
}
