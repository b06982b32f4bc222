/** Members of organizations: users and machine clients as Logto has them, and either by its membership. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { applicationMemberRoleRoutes } from './application-roles.ts';
import { applicationMemberRoutes } from './applications.ts';
import { memberRoutes } from './members.ts';
import { userMemberRoleRoutes } from './user-roles.ts';
import { userMemberRoutes } from './users.ts';

export const organizationMemberRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(userMemberRoutes);
  await server.register(userMemberRoleRoutes);
  await server.register(applicationMemberRoutes);
  await server.register(applicationMemberRoleRoutes);
  await server.register(memberRoutes);
};
