/**
 * The closed list of failures. Each code says whether trying again can help, whose turn it is, the
 * sentence for the person and the hint for the operator. It is translated once per boundary:
 * `activities/failures.ts` (Temporal), `src/api/error-handler.ts` (HTTP), `src/cli/run-command.ts` (exit codes).
 */

/** Who can mend it: the person, the people who run Intake, or a provider. */
export type Turn = 'user' | 'us' | 'provider';

interface CodeDefinition {
  /** May the same call succeed later without anybody changing the document? */
  readonly retryable: boolean;
  readonly turn: Turn;
  /** For the person who uploaded: what happened and what to do. Never holds names or text of a document. */
  readonly message: string;
  /** For operators. */
  readonly hint: string;
}

export const errorCodes = {
  // Requests
  INVALID_REQUEST: {
    retryable: false,
    turn: 'user',
    message: 'The request is not valid. See the list of fields.',
    hint: 'Schema validation refused the body, the query or a header.',
  },
  UNAUTHENTICATED: {
    retryable: false,
    turn: 'user',
    message: 'You are not signed in, or your session has expired. Please sign in again.',
    hint: 'Missing, expired, foreign or wrongly signed token.',
  },
  NOT_FOUND: {
    retryable: false,
    turn: 'user',
    message: 'There is nothing here under this address, or it is not yours.',
    hint: 'Unknown id, or an id of another owner.',
  },
  NOT_POSSIBLE_NOW: {
    retryable: false,
    turn: 'user',
    message: 'This is not possible in the present state of the document.',
    hint: 'The document is in a status from which this command is not legal.',
  },
  OPERATORS_ONLY: {
    retryable: false,
    turn: 'user',
    message: 'Only the people who run Intake may do this, and your token is not one of theirs.',
    hint: 'An operator’s token has `"intake_role": "operator"` in its `app_metadata`, which only the service key can set.',
  },
  RATE_LIMITED: {
    retryable: true,
    turn: 'user',
    message: 'Too many requests. Please wait a moment and try again.',
    hint: 'Per-owner request limit.',
  },
  UPLOAD_QUOTA_EXCEEDED: {
    retryable: true,
    turn: 'user',
    message:
      'You have too many unfinished uploads. Finish or cancel some of them before you start a new one.',
    hint: 'Cap on unfinished uploads or reserved bytes of this owner.',
  },
  SERVICE_UNAVAILABLE: {
    retryable: true,
    turn: 'us',
    message: 'We cannot do this right now. Nothing was lost; please try again in a minute.',
    hint: 'Database, Temporal or storage did not answer the API.',
  },
  INTERNAL_ERROR: {
    retryable: true,
    turn: 'us',
    message: 'Something went wrong on our side. We have been told; please try again later.',
    hint: 'An unexpected error. The log has its stack under the same correlation id.',
  },
  // Upload and storage
  UPLOAD_EXPIRED: {
    retryable: false,
    turn: 'user',
    message: 'Document file is not accessible for processing. Please try uploading again.',
    hint: 'No bytes arrived at the upload key before the upload expired.',
  },
  STORAGE_ACCESS_ERROR: {
    retryable: false,
    turn: 'user',
    message: 'Document file is not accessible for processing. Please try uploading again.',
    hint: 'The verified bytes are gone from the private key. Find out who removed them.',
  },
  STORAGE_OBJECT_ABSENT: {
    retryable: true,
    turn: 'user',
    message: 'The file has not arrived yet. We keep looking until the upload expires.',
    hint: 'The store says that the object is absent, and a control read with the same key succeeded.',
  },
  STORAGE_FORBIDDEN: {
    retryable: true,
    turn: 'us',
    message:
      'We cannot reach our file storage. Your file is safe and waits; you need not do anything.',
    hint: 'Storage refuses our credentials or the bucket is missing. Check SUPABASE_SERVICE_ROLE_KEY and the bucket.',
  },
  STORAGE_UNAVAILABLE: {
    retryable: true,
    turn: 'us',
    message:
      'Our file storage does not answer at the moment. Your file waits; you need not do anything.',
    hint: 'Timeout, reset, 429 or 5xx from storage.',
  },
  FILE_ACCESS_CIRCUIT_BREAKER_OPEN: {
    retryable: true,
    turn: 'us',
    message: 'File access service is temporarily unavailable due to repeated failures',
    hint: 'The breaker round blob reads is open on this worker; documents wait and none fails.',
  },
  STORAGE_OUT_OF_PATIENCE: {
    retryable: false,
    turn: 'us',
    message:
      'We could not read your file for too long. This was our fault; we can start it again without a new upload.',
    hint: 'Storage stayed forbidden or unavailable until the patient deadline. Mend it, then retry the document.',
  },
  EMPTY_FILE: {
    retryable: false,
    turn: 'user',
    message: 'The file is empty. Please upload the document again.',
    hint: 'Zero bytes.',
  },
  TYPE_MISMATCH: {
    retryable: false,
    turn: 'user',
    message:
      'The file is of another type than was announced, by its name perhaps. Please upload it under its true type.',
    hint: 'The type sniffed from the bytes is not the declared one.',
  },
  SIZE_MISMATCH: {
    retryable: false,
    turn: 'user',
    message:
      'The file that arrived is longer or shorter than was announced. Please upload the whole file again.',
    hint: 'The size differs from the declared one.',
  },
  CHECKSUM_MISMATCH: {
    retryable: false,
    turn: 'user',
    message:
      'The file that arrived has another content than was announced: its checksum differs. Please upload it again.',
    hint: 'The SHA-256 differs from the declared one, the size does not.',
  },
  /** Of earlier versions, which did not tell the three above apart: their rows and runs stay readable. */
  DECLARATION_MISMATCH: {
    retryable: false,
    turn: 'user',
    message:
      'The file that arrived is not the one that was announced (its type, size or checksum differs). Please upload it again.',
    hint: 'Size, SHA-256 or sniffed type differ from the declared ones.',
  },
  UNSUPPORTED_FILE_TYPE: {
    retryable: false,
    turn: 'user',
    message:
      'We cannot read this type of file. Please upload a PDF, DOCX, HTML, Markdown or text file.',
    hint: 'The bytes are of no type that Intake accepts.',
  },
  DOCUMENT_TOO_LARGE: {
    retryable: false,
    turn: 'user',
    message: 'The document is too large for us to read. Please upload a smaller one or split it.',
    hint: 'Size, unpacked size, parse memory or Markdown size is over its limit.',
  },
  // Parser: the vendor's own words where they exist
  PDF_IS_PROTECTED: {
    retryable: false,
    turn: 'user',
    message: 'The PDF is protected by a password. Please upload a copy without one.',
    hint: 'The parser could not open the file without a password.',
  },
  PDF_IS_BROKEN: {
    retryable: false,
    turn: 'user',
    message: 'The PDF is damaged and cannot be read. Please upload an intact copy.',
    hint: 'The parser refused the file as broken.',
  },
  FILE_IS_BROKEN: {
    retryable: false,
    turn: 'user',
    message: 'The file is damaged and cannot be read. Please upload an intact copy.',
    hint: 'The parser refused the DOCX or HTML file as broken.',
  },
  NO_DATA_FOUND_IN_FILE: {
    retryable: false,
    turn: 'user',
    message:
      'We found no text in the document. If it is a scan, please upload a version with readable text.',
    hint: 'No page carries text.',
  },
  TOO_MANY_PAGES: {
    retryable: false,
    turn: 'user',
    message: 'The document has too many pages. Please split it.',
    hint: 'Over the page limit.',
  },
  TIMEOUT: {
    retryable: false,
    turn: 'provider',
    message: 'Reading the document took too long and was stopped. You can try again.',
    hint: 'The parser gave up at its own time limit.',
  },
  PARSE_TIMEOUT: {
    retryable: false,
    turn: 'provider',
    message: 'Reading the document took too long and was stopped. You can try again.',
    hint: 'No terminal answer from the parser before our deadline.',
  },
  PARSE_CANCELLED: {
    retryable: false,
    turn: 'us',
    message: 'Reading the document was stopped. You can try again.',
    hint: 'The parse job was cancelled at the vendor, not by us.',
  },
  PARSE_INCOMPLETE: {
    retryable: false,
    turn: 'provider',
    message: 'Too many pages of the document could not be read. You can try again.',
    hint: 'More pages failed than the allowed share, or pages are missing or doubled.',
  },
  LLAMAPARSE_RATE_LIMIT_ERROR: {
    retryable: true,
    turn: 'provider',
    message: 'The reading service is busy. Your document waits its turn.',
    hint: '429 from LlamaParse.',
  },
  LLAMAPARSE_SERVER_ERROR: {
    retryable: true,
    turn: 'provider',
    message: 'The reading service does not answer at the moment. Your document waits.',
    hint: 'Timeout, reset, 5xx or an answer that is not of the documented shape.',
  },
  LLAMAPARSE_CLIENT_ERROR: {
    retryable: false,
    turn: 'us',
    message: 'The reading service refused the document. We have been told.',
    hint: '400, 404, 413 or 422 from LlamaParse: see the cause.',
  },
  LLAMAPARSE_FORBIDDEN: {
    retryable: true,
    turn: 'us',
    message: 'We cannot reach the reading service. Your document waits; you need not do anything.',
    hint: '401 or 403 from LlamaParse: key, project or region is wrong.',
  },
  LLAMAPARSE_CREDITS_EXHAUSTED: {
    retryable: true,
    turn: 'us',
    message: 'We cannot reach the reading service. Your document waits; you need not do anything.',
    hint: '402 from LlamaParse: buy credits.',
  },
  LLAMAPARSE_RESULT_EXPIRED: {
    retryable: false,
    turn: 'us',
    message: 'The reading result was no longer there when we fetched it. You can try again.',
    hint: '404 for a job that we submitted: job, source or result expired at the vendor.',
  },
  LLAMAPARSE_API_ERROR: {
    retryable: false,
    turn: 'provider',
    message: 'The reading service could not read the document. You can try again.',
    hint: 'The job failed with words that we do not know: see the cause.',
  },
  // Chunking
  DOCUMENT_CHUNKING_FAILED: {
    retryable: false,
    turn: 'us',
    message: 'We could not prepare the text of the document for search. We have been told.',
    hint: 'The chunker failed or ran over its deadline.',
  },
  // Embedding
  EMBEDDER_RATE_LIMITED: {
    retryable: true,
    turn: 'provider',
    message: 'The search service is busy. Your document waits its turn.',
    hint: '429 from the embedding endpoint.',
  },
  EMBEDDER_UNAVAILABLE: {
    retryable: true,
    turn: 'provider',
    message: 'The search service does not answer at the moment. Your document waits.',
    hint: 'Timeout, reset, 5xx or garbage from the embedding endpoint.',
  },
  EMBEDDER_FORBIDDEN: {
    retryable: true,
    turn: 'us',
    message: 'We cannot reach the search service. Your document waits; you need not do anything.',
    hint: '401 or 403 from the embedding endpoint: check EMBEDDINGS_API_KEY.',
  },
  EMBEDDER_REJECTED: {
    retryable: false,
    turn: 'us',
    message: 'The search service refused the text of the document. We have been told.',
    hint: '400, 404 or 422 from the embedding endpoint: model, dimensions or input is wrong.',
  },
  EMBEDDINGS_INVALID: {
    retryable: true,
    turn: 'provider',
    message: 'The search service gave a wrong answer. Your document waits.',
    hint: 'Wrong count, order, dimension, or a vector that is zero or not finite.',
  },
  EMBEDDINGS_UNPROVEN: {
    retryable: false,
    turn: 'us',
    message: 'We could not prove that the document can be found. We have been told.',
    hint: 'Read-back proof failed: chunks and vectors differ, or a chunk does not find itself.',
  },
  EMBEDDING_OUT_OF_PATIENCE: {
    retryable: false,
    turn: 'us',
    message: 'Making the document searchable took too long and was stopped. You can try again.',
    hint: 'The embedding endpoint did not answer before the stage deadline.',
  },
  PARSER_OUT_OF_PATIENCE: {
    retryable: false,
    turn: 'us',
    message: 'We could not reach the reading service for too long. You can try again.',
    hint: 'The parser did not accept the document before the stage deadline.',
  },
  // Runs and rows
  CANCELLED: {
    retryable: false,
    turn: 'user',
    message: 'The document was cancelled.',
    hint: 'Cancelled by its owner or an operator: see who in the timeline.',
  },
  FAILED_BY_OPERATOR: {
    retryable: false,
    turn: 'us',
    message:
      'We have stopped this document; the timeline says why. We can start it again without a new upload.',
    hint: 'An operator failed it by hand: who and why is in the timeline and in the run’s last words.',
  },
  DOCUMENT_DELETED: {
    retryable: false,
    turn: 'user',
    message: 'The document was deleted.',
    hint: 'A tombstone beats every late write.',
  },
  ATTEMPT_SUPERSEDED: {
    retryable: false,
    turn: 'us',
    message: 'A newer attempt has taken over this document.',
    hint: 'This run is not the one that the row names; its writes are refused.',
  },
  ATTEMPT_ABSENT: {
    retryable: true,
    turn: 'us',
    message: 'We cannot find the record of this document at the moment. We have been told.',
    hint: 'A run without a row: was the database restored? The run is parked and ends after a deadline.',
  },
  WORKER_STOPPING: {
    retryable: true,
    turn: 'us',
    message: 'Your document waits a moment; we go on with it by ourselves.',
    hint: 'The worker was stopped between two steps; another one goes on.',
  },
  WORKER_LOST: {
    retryable: true,
    turn: 'us',
    message: 'We lost contact with the worker that had your document in hand; work goes on.',
    hint: 'No heartbeat in time: its worker was killed, ran out of memory, starved or was cut off. Its log ends there.',
  },
  DATABASE_UNAVAILABLE: {
    retryable: true,
    turn: 'us',
    message: 'We cannot reach our database at the moment. Your document waits.',
    hint: 'Connection refused, reset or timed out.',
  },
  PAYLOAD_UNREADABLE: {
    retryable: true,
    turn: 'us',
    message: 'We cannot read our own records of this document at the moment. It waits.',
    hint: 'A payload in Temporal is encrypted with a key that is not in PAYLOAD_ENCRYPTION_KEYS, or it was changed.',
  },
  FAILED_BEFORE_UPGRADE: {
    retryable: false,
    turn: 'us',
    message:
      'The document could not be processed before our system was renewed. You can try again, or upload it once more.',
    hint: 'Taken over from the original system as it had ended there; the detail is its code, when it is one of ours.',
  },
  // Processes
  CONFIGURATION_INVALID: {
    retryable: false,
    turn: 'us',
    message: 'The configuration is not valid.',
    hint: 'See the list of keys.',
  },
  SCHEMA_OUTDATED: {
    retryable: false,
    turn: 'us',
    message: 'The database has not the schema that this version needs.',
    hint: 'Run `intake migrate`.',
  },
  MIGRATION_FAILED: {
    retryable: false,
    turn: 'us',
    message: 'The database could not be brought up to this version.',
    hint: 'The migration that failed was rolled back, those before it stay. Mend what it names, then run `intake migrate` again.',
  },
  UPGRADE_REFUSED: {
    retryable: false,
    turn: 'us',
    message: 'The original system cannot be taken over, or gone back to, like this.',
    hint: 'Nothing was changed. See ops/runbooks/cut-over.md.',
  },
  NOT_RUNNING: {
    retryable: true,
    turn: 'user',
    message: 'Intake is not running at this address of your machine.',
    hint: 'The port of a loopback address refuses connections.',
  },
} as const satisfies Record<string, CodeDefinition>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

/** Of each party that may be out of order: they take turns while one and the same trouble lasts. */
const troubles: readonly (readonly ErrorCode[])[] = [
  ['STORAGE_FORBIDDEN', 'STORAGE_UNAVAILABLE', 'FILE_ACCESS_CIRCUIT_BREAKER_OPEN'],
  [
    'LLAMAPARSE_RATE_LIMIT_ERROR',
    'LLAMAPARSE_SERVER_ERROR',
    'LLAMAPARSE_FORBIDDEN',
    'LLAMAPARSE_CREDITS_EXHAUSTED',
  ],
  ['EMBEDDER_RATE_LIMITED', 'EMBEDDER_UNAVAILABLE', 'EMBEDDER_FORBIDDEN', 'EMBEDDINGS_INVALID'],
];

/** Every code, this one included, by which the same trouble may show itself. */
export function codesOfTrouble(code: ErrorCode): readonly ErrorCode[] {
  return troubles.find((codes) => codes.includes(code)) ?? [code];
}

interface ErrorOptions {
  /** What happened, for operators: counts, statuses, ids. Never document text, names or secrets. */
  readonly detail?: string;
  /** When the other side said when to come back. */
  readonly retryAfterMs?: number;
  /** What is behind a failure that only guards against another one. */
  readonly behind?: ErrorCode | undefined;
  /** Kept for logs on this side of the boundary; never crosses it. */
  readonly cause?: unknown;
}

/** The only error that crosses a boundary between rooms. `message` is the sentence for the person. */
export class IntakeError extends Error {
  override readonly name = 'IntakeError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly behind: ErrorCode | undefined;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(errorCodes[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
    this.behind = options.behind;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  get turn(): Turn {
    return errorCodes[this.code].turn;
  }
}
