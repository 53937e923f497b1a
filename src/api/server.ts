/** The HTTP edge: what holds for every request, then the routes. */
import helmet from '@fastify/helmet';
import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { webhookRoutes } from '../webhooks/routes.ts';
import { answerDeadlines, TRANSFER_DEADLINE_MS } from './answer-deadline.ts';
import { authentication } from './authenticate.ts';
import { answerClientError } from './client-errors.ts';
import type { ApiDependencies } from './dependencies.ts';
import { answerWithProblem, problemAnswers } from './error-handler.ts';
import { requestLimits } from './limit-requests.ts';
import { loopbackOnly } from './loopback-only.ts';
import { openApi } from './openapi.ts';
import { jsonBodies, MAX_JSON_BYTES } from './read-json.ts';
import { correlation, correlationIdOf, RequestLog } from './request-log.ts';
import { requestMetrics } from './request-metrics.ts';
import { directUploadRoutes } from './routes/direct-upload.ts';
import { documentRoutes } from './routes/documents.ts';
import { downloadRoutes } from './routes/downloads.ts';
import { fingerprintRoute } from './routes/fingerprint.ts';
import { healthRoutes } from './routes/health.ts';
import { limitRoutes } from './routes/limits.ts';
import { operatorRoutes } from './routes/operators.ts';
import { rootRoute } from './routes/root.ts';
import { searchRoutes } from './routes/search.ts';
import { uploadRoutes } from './routes/uploads.ts';

const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 15_000;
/** A socket on which nothing moves. */
const IDLE_TIMEOUT_MS = 120_000;

/** Everything but `listen`, so that tests inject requests. `close` refuses new requests and waits for those under way. */
export function buildServer(dependencies: ApiDependencies): FastifyInstance {
  const { verifyToken, settings, metrics } = dependencies;
  const loggerInstance: FastifyBaseLogger = dependencies.logger;
  const app = fastify({
    loggerInstance,
    logController: new RequestLog(),
    genReqId: correlationIdOf,
    frameworkErrors: answerWithProblem,
    clientErrorHandler: answerClientError,
    bodyLimit: MAX_JSON_BYTES,
    requestTimeout: TRANSFER_DEADLINE_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.register(correlation);
  app.register(requestMetrics, { metrics });
  app.register(problemAnswers);
  app.register(answerDeadlines);
  app.register(helmet, { contentSecurityPolicy: contentSecurityPolicy(settings.storageOrigin) });
  if (settings.loopbackOnly) app.register(loopbackOnly);
  app.register(jsonBodies);
  app.register(requestLimits, { maxRequestsPerMinute: settings.maxRequestsPerMinute });
  app.register(authentication, { verifyToken });
  app.register(openApi);

  app.register(rootRoute);
  app.register(healthRoutes(dependencies));
  app.register(fingerprintRoute(dependencies));
  app.register(webhookRoutes(dependencies.webhooks));
  app.register(uploadRoutes(dependencies), { prefix: '/v1' });
  app.register(directUploadRoutes(dependencies), { prefix: '/v1' });
  app.register(documentRoutes(dependencies), { prefix: '/v1' });
  app.register(downloadRoutes(dependencies), { prefix: '/v1' });
  app.register(searchRoutes(dependencies), { prefix: '/v1' });
  app.register(limitRoutes(dependencies), { prefix: '/v1' });
  app.register(operatorRoutes(dependencies), { prefix: '/v1' });
  return app;
}

/** Our pages load nothing from elsewhere and speak to us and to the storage that takes the bytes. */
function contentSecurityPolicy(storageOrigin: string) {
  return {
    useDefaults: false,
    directives: {
      'default-src': ["'self'"],
      'connect-src': ["'self'", storageOrigin],
      'img-src': ["'self'", 'data:'],
      'object-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'self'"],
      'frame-ancestors': ["'none'"],
    },
  };
}
