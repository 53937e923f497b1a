/** What `intake doctor` tries: each check is data. It says what it saw, or what is wrong, and knows how to mend it. */
import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import pg from 'pg';
import type { Config } from '../../config.ts';
import { databaseError, type Pool } from '../../db/pool.ts';
import { type ErrorCode, IntakeError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { TemporalClient } from '../../temporal/client.ts';

/** Why a check failed, in a word that a script may rely on. */
export type Ailment =
  | 'absent'
  | 'forbidden'
  | 'unavailable'
  | 'refused'
  | 'corrupt'
  | 'outdated'
  | 'too small'
  | 'too open'
  | 'different'
  | 'not public'
  | 'paused'
  | 'invalid'
  | 'unknown';

export interface Scene {
  readonly config: Config;
  /** Where the API answers, without a slash at its end. */
  readonly apiUrl: string;
  readonly pool: Pool;
  readonly temporal: TemporalClient;
  readonly objectStore: ObjectStore;
}

export interface Check {
  /** The party, a colon, and what is tried of it. */
  readonly name: string;
  /** Names of checks without whose success this one says nothing. */
  readonly needs?: readonly string[];
  /** Resolves with what it saw. Throws `Ill`, or what the party that it asks refuses with. */
  run(scene: Scene): Promise<string>;
  /** What to do, by what is wrong. */
  readonly mend: Partial<Record<Ailment, string>>;
}

/** Stays inside this folder: it becomes a finding. */
export class Ill extends Error {
  override readonly name = 'Ill';
  readonly ailment: Ailment;

  constructor(ailment: Ailment, detail: string) {
    super(detail);
    this.ailment = ailment;
  }
}

/** What our own codes mean here. */
const ailments: Partial<Record<ErrorCode, Ailment>> = {
  STORAGE_OBJECT_ABSENT: 'absent',
  STORAGE_FORBIDDEN: 'forbidden',
  STORAGE_UNAVAILABLE: 'unavailable',
  CHECKSUM_MISMATCH: 'corrupt',
  DOCUMENT_TOO_LARGE: 'corrupt',
  DATABASE_UNAVAILABLE: 'unavailable',
  SERVICE_UNAVAILABLE: 'unavailable',
  LLAMAPARSE_FORBIDDEN: 'forbidden',
  LLAMAPARSE_CREDITS_EXHAUSTED: 'forbidden',
  LLAMAPARSE_CLIENT_ERROR: 'refused',
  LLAMAPARSE_RATE_LIMIT_ERROR: 'unavailable',
  LLAMAPARSE_SERVER_ERROR: 'unavailable',
  EMBEDDER_FORBIDDEN: 'forbidden',
  EMBEDDER_REJECTED: 'refused',
  EMBEDDER_RATE_LIMITED: 'unavailable',
  EMBEDDER_UNAVAILABLE: 'unavailable',
};

/** What Postgres refuses, by SQLSTATE or its class. */
const sqlStates: Readonly<Record<string, Ailment>> = {
  '28': 'forbidden',
  '3D': 'absent',
  '42501': 'forbidden',
};

/** What Temporal refuses, by gRPC status. */
const grpcStatuses: Readonly<Record<number, Ailment>> = {
  5: 'absent',
  7: 'forbidden',
  16: 'forbidden',
};

/** As an ailment with its detail; what nobody has foreseen is a fault of ours and no ailment. */
export function illOf(thrown: unknown): Ill {
  const error = databaseError(thrown);
  if (error instanceof Ill) return error;
  if (error instanceof IntakeError) {
    return new Ill(ailments[error.code] ?? 'unknown', error.detail ?? causeOf(error));
  }
  if (error instanceof pg.DatabaseError) {
    const { code = '', message } = error;
    return new Ill(sqlStates[code] ?? sqlStates[code.slice(0, 2)] ?? 'unknown', message);
  }
  const fault = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(fault)) throw thrown;
  return new Ill(grpcStatuses[fault.code] ?? 'unknown', fault.details);
}

function causeOf({ code, cause }: IntakeError): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : code;
}
