import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { nativeManagementApi } from '../system-api.ts';
import { openApiDocument } from './document.ts';
import type { Json } from './schemas.ts';

/** Where the document is: our path, and the two that Logto's tools know. */
const paths = ['/openapi.json', '/swagger.json', '/.well-known/management.openapi.json'];

/** The OpenAPI document; anybody may read it, as it tells of the program and not of a tenant. */
export const openApiRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const documents = new Map<string, Json>();
  for (const path of paths) {
    server.get(
      path,
      {
        config: { open: true },
        schema: {
          summary: 'Read the OpenAPI document',
          response: { 200: Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1.' }) },
        },
      },
      async ({ site }) => {
        const known = documents.get(site.origin) ?? openApiDocument(server.routeList, nativeManagementApi, site.origin);
        if (documents.size < 100) documents.set(site.origin, known);
        return known;
      },
    );
  }
};
