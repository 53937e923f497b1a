/** JSON bodies: small, shallow, and without keys that reach for prototypes. No other type is read by default. */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { IntakeError } from '../domain/errors.ts';

export const MAX_JSON_BYTES = 16_384;
const MAX_JSON_DEPTH = 8;

export const jsonBodies = fp(
  async (app: FastifyInstance) => {
    const parse = app.getDefaultJsonParser('error', 'error');
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: MAX_JSON_BYTES },
      (request, body, done) => {
        // Clients that set the header on every POST send it with empty commands as well.
        if (body.length === 0) return done(null, undefined);
        parse(request, body.toString(), (error, value: unknown) => {
          if (error === null && isDeeperThan(value, MAX_JSON_DEPTH)) {
            return done(new IntakeError('INVALID_REQUEST', { detail: 'JSON nested too deeply' }));
          }
          done(error, value);
        });
      },
    );
  },
  { name: 'json-bodies' },
);

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}
