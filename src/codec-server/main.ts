/** The codec server process: needs the payloads' keys and who may read, and none of Intake's other settings. */
import { loadCodecServerConfig } from '../config.ts';
import { createLogger } from '../observability/logger.ts';
import { runMain } from '../run-main.ts';
import { onStopSignal } from '../shutdown.ts';
import { connectionSettings } from '../temporal/client.ts';
import { payloadKeys } from '../temporal/data-converter.ts';
import { createPayloadCodec } from '../temporal/payload-codec.ts';
import { buildCodecServer } from './server.ts';
import { createReaderVerifier } from './verify-reader.ts';

await runMain(async () => {
  const config = loadCodecServerConfig();
  const logger = createLogger('codec-server', config.LOG_LEVEL);
  const { namespace = 'default' } = connectionSettings();
  const server = buildCodecServer({
    codec: createPayloadCodec(payloadKeys(config.PAYLOAD_ENCRYPTION_KEYS), { encrypt: true }),
    verifyReader: createReaderVerifier({
      issuer: config.CODEC_JWT_ISSUER,
      audience: config.CODEC_JWT_AUDIENCE,
      jwksUrl: config.CODEC_JWKS_URL,
      namespace,
    }),
    namespace,
    corsOrigin: new URL(config.CODEC_CORS_ORIGIN).origin,
    logger,
  });
  onStopSignal(logger, [{ name: 'requests', limitMs: 5_000, run: () => server.close() }]);
  await server.listen({ host: config.CODEC_HOST, port: config.CODEC_PORT });
});
