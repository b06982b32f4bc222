/** What was typed to let a device in, as forms and addresses carry it from one page to the next. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { devicePath } from '../../protocol/device/start.ts';
import type { Entry } from '../../protocol/device/verify.ts';
import { formTarget } from './csrf.ts';
import type { FormTarget } from './fields.ts';
import { formField } from './form-body.ts';
import { knownBrowser } from './page.ts';
import { seeOther, withParameters } from './respond.ts';
import type { PageServices } from './routes.ts';

export const confirmPath = `${devicePath}/confirm`;

export const entryInForm = (request: FastifyRequest): Entry => ({
  userCode: formField(request, 'user_code') ?? '',
  note: formField(request, 'entry') ?? '',
});

export const toConfirm = (reply: FastifyReply, { userCode, note }: Entry): FastifyReply =>
  seeOther(reply, withParameters(confirmPath, { user_code: userCode, entry: note }));

export function target(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  fields: Record<string, string> = {},
): FormTarget {
  return { ...formTarget(services, request, knownBrowser(services, request, reply), path), fields };
}

export const carried = ({ userCode, note }: Entry): Record<string, string> => ({ user_code: userCode, entry: note });
