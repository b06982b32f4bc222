import { findAuthorization, prolongAuthorization } from '../../../domain/authorizations/authorizations.ts';
import {
  type DeviceAuthorization,
  findByDeviceCode,
  notePolled,
  useDeviceCode,
} from '../../../domain/device-authorizations/device-authorizations.ts';
import type { ProtocolContext } from '../../context.ts';
import { Refusal } from '../../refusal.ts';
import type { PersonGrant, Redeemed } from './grant-type.ts';
import { givesRefreshToken, newRefreshToken } from './refresh-token-of.ts';

/** RFC 8628 §3.4: a device asks whether a person let it in; the code is good once, for the client it was given to. */
export async function redeem(ctx: ProtocolContext, redeemed: Redeemed): Promise<PersonGrant> {
  const { client, binding } = redeemed;
  const { services } = ctx;
  const { tenantId } = ctx.site;
  const device = await deviceOf(ctx, redeemed);
  const invalid = (userId?: string) => new Refusal('device_code_invalid', { clientId: client.id, userId });
  const authorization =
    device.authorizationId === null ? undefined : await findAuthorization(services, tenantId, device.authorizationId);
  // The person was blocked, or signed out, before the device came.
  if (authorization === undefined) throw invalid();
  return {
    authorization,
    givesIdToken: true,
    async consume() {
      // Of two at once one changes the row.
      if (!(await useDeviceCode(services, tenantId, device.hash))) throw invalid(authorization.userId);
      if (!(await prolongAuthorization(services, tenantId, authorization.id))) throw invalid(authorization.userId);
    },
    async refreshToken() {
      return givesRefreshToken(client, authorization)
        ? newRefreshToken(ctx, client, authorization, binding)
        : undefined;
    },
  };
}

/** The device's request, once a person has said yes (RFC 8628 §3.5). */
async function deviceOf(ctx: ProtocolContext, { profile, client, request }: Redeemed): Promise<DeviceAuthorization> {
  const { deviceCode: presented } = request.given;
  const about = { clientId: client.id };
  if (presented === undefined) throw new Refusal('parameter_invalid', { parameter: 'device_code', ...about });
  const { services, site } = ctx;
  const device = await findByDeviceCode(services, site.tenantId, presented);
  // Told from an unknown one to nobody: a code of another client or issuer.
  const isOwn = device?.clientId === client.id && device.issuer === profile.name;
  if (device === undefined || !isOwn || device.status === 'used') throw new Refusal('device_code_invalid', about);
  if (device.status === 'denied') throw new Refusal('device_denied', about);
  if (device.expiresAt <= services.clock.now()) throw new Refusal('device_code_expired', about);
  if (device.status === 'approved') return device;
  const isInTime = await notePolled(services, site.tenantId, device.hash);
  throw new Refusal(isInTime ? 'authorization_pending' : 'slow_down', about);
}
