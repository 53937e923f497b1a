/** What routes and the ledger read from a request's address. */
import type { FastifyRequest } from 'fastify';
import { refuse } from './refusals.ts';

export interface ObjectParams {
  readonly bucket: string;
  readonly '*': string;
}

const OBJECT_KEY = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]+$/;

export function validKey(key: string): string {
  if (!OBJECT_KEY.test(key)) throw refuse.invalidKey(key);
  return key;
}

export function objectAddress(request: FastifyRequest): { bucket: string; key: string } {
  const params = request.params as ObjectParams;
  return { bucket: params.bucket, key: params['*'] };
}

/** For a route's `config.subject`. */
export function keySubject(request: FastifyRequest): string {
  return objectAddress(request).key;
}
