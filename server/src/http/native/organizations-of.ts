import type { OrganizationOfSubject as Body, PagingQuery } from '@sekisho/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  listOrganizationsOf,
  listOrganizationsOfByKey,
  type OrganizationOfSubject,
} from '../../domain/memberships/organizations-of.ts';
import type { KeysetRange, OffsetRange } from '../../domain/paging.ts';
import { organizationBody } from './organizations/mapping.ts';
import { sendOptionalPage } from './paging.ts';

/** Answers the organizations of a user or an application, each with the roles it has there. */
export function sendOrganizationsOf(
  request: FastifyRequest<{ Querystring: PagingQuery }>,
  reply: FastifyReply,
  subjectId: string,
): Promise<Body[]> {
  const ctx = request.context;
  const list = {
    byKey: (range: KeysetRange) => listOrganizationsOfByKey(ctx, subjectId, range),
    byOffset: (range: OffsetRange) => listOrganizationsOf(ctx, subjectId, range),
  };
  return sendOptionalPage(request, reply, list, ({ organization, membership }: OrganizationOfSubject) => ({
    ...organizationBody(ctx, organization),
    organizationRoles: membership.roles.map(({ id, name }) => ({ id, name })),
  }));
}
