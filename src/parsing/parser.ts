/**
 * Port: the parser. An adapter throws `IntakeError` with the `LLAMAPARSE_*` codes for calls that failed;
 * a job that failed is an ordinary answer (`ParseState`), already translated to one of our codes.
 */
import type { Readable } from 'node:stream';
import type { ParsedPage } from '../domain/chunk.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { ParseJobId } from '../domain/ids.ts';
import type { MediaType } from '../domain/media-types.ts';

export interface ParseRequest {
  /** Travels in the vendor's user_metadata and names the upload there; the only thing of ours the vendor learns. */
  readonly parseJobId: ParseJobId;
  readonly mediaType: MediaType;
  readonly sizeBytes: number;
  readonly content: () => Promise<Readable>;
  /** Absolute https URL for the webhook, or `undefined` in poll-only mode. */
  readonly callbackUrl: string | undefined;
  /** True when no earlier try can have uploaded the file: saves looking for one. */
  readonly firstTry?: boolean;
  /** Called when all that is left is the paid call, which is not made when this throws. */
  readonly beforeCreate: () => Promise<void>;
  readonly signal: AbortSignal;
}

export interface SubmittedJob {
  readonly providerJobId: string;
  /** `undefined` for a job that was found again without its upload. */
  readonly providerFileId: string | undefined;
}

/** A job at the vendor that this installation has made. */
export interface OwnJob {
  readonly parseJobId: ParseJobId;
  readonly providerJobId: string;
  readonly createdAt: Date;
}

export type ParseState =
  | { readonly state: 'pending' }
  | { readonly state: 'completed' }
  | { readonly state: 'failed'; readonly code: ErrorCode; readonly detail: string }
  | { readonly state: 'cancelled' };

export interface ParseResult {
  readonly pages: readonly ParsedPage[];
  /** Vendor's credits, `undefined` until billed. */
  readonly credits: number | undefined;
}

export interface Parser {
  /** What the options of a job depend on (tier, version, options): recorded with each parse job. */
  readonly optionsFingerprint: string;
  /** Uploads the file (or finds the upload of an earlier try by our id) and creates the job. Paid: never called twice without `find`. */
  submit(request: ParseRequest): Promise<SubmittedJob>;
  /** A job that an earlier try may have created: newest match of our id since `since`, if any. */
  find(parseJobId: ParseJobId, since: Date, signal: AbortSignal): Promise<SubmittedJob | undefined>;
  /** Jobs of this installation, by its mark; others of the same account are passed over. */
  ownJobs(since: Date, signal: AbortSignal): AsyncIterable<OwnJob>;
  state(providerJobId: string, signal: AbortSignal): Promise<ParseState>;
  /** Pages of a completed job. Throws `LLAMAPARSE_RESULT_EXPIRED` when the vendor no longer has it. */
  result(
    providerJobId: string,
    options: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<ParseResult>;
  /** Deletes upload and job at the vendor; absent ones are no error. A job still running is cancelled first. */
  forget(job: SubmittedJob, signal: AbortSignal): Promise<void>;
  /** Deletes every job since `since` and every upload under our id: that of a double payment, of a job never made. */
  forgetAll(parseJobId: ParseJobId, since: Date, signal: AbortSignal): Promise<void>;
}
