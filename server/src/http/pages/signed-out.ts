import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpServices } from '../request.ts';
import { sendPage } from './page.ts';
import { signedOutView } from './views/sign-out.ts';

export const showSignedOut = (
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => sendPage(services, request, reply, signedOutView);
