/** OpenAPI 3.1 from the routes' schemas, as `/openapi.json` and as a page under `/docs`. */
import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import manifest from '../../package.json' with { type: 'json' };
import { openToPublic } from './authenticate.ts';
import { problem } from './problem.ts';

export const openApi = fp(
  async (app: FastifyInstance) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Intake',
          version: manifest.version,
          description: manifest.description,
        },
        components: {
          securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        },
        security: [{ bearer: [] }],
        // In the order in which a newcomer needs them.
        tags: ['Uploads', 'Documents', 'Search', 'Operators', 'Health'].map((name) => ({ name })),
      },
      transform: describeRoute,
      transformObject: describeComponents,
    });
    await app.register(async (scope) => {
      openToPublic(scope);
      await scope.register(swaggerUi, { routePrefix: '/docs' });
      scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
    });
  },
  { name: 'openapi' },
);

/** What holds for every route is said once: problems, and that public routes take no token. */
const describeRoute: SwaggerTransform = (route) => {
  const schema = route.schema ?? {};
  return jsonSchemaTransform({
    ...route,
    schema: {
      ...schema,
      ...(route.route.config?.public === true ? { security: [] } : {}),
      response: {
        ...(typeof schema.response === 'object' ? schema.response : {}),
        default: {
          description: 'A problem',
          content: { 'application/problem+json': { schema: problem } },
        },
      },
    },
  });
};

/** Only answers are named; the variants for requests that are made beside them are nobody's. */
const describeComponents: SwaggerTransformObject = (document) => {
  const described = jsonSchemaTransformObject(document);
  const schemas = 'components' in described ? described.components?.schemas : undefined;
  for (const name of Object.keys(schemas ?? {})) {
    if (name.endsWith('Input')) delete schemas?.[name];
  }
  return described;
};
