/** The original's failures: a sentence for the person and a code, whatever it was that went wrong. */

export class UserFacingError extends Error {
  override readonly name = 'UserFacingError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

export const NOT_ACCESSIBLE =
  'Document file is not accessible for processing. Please try uploading again.';

export function notAccessible(): UserFacingError {
  return new UserFacingError(NOT_ACCESSIBLE, 'STORAGE_ACCESS_ERROR');
}

/** As it was shown: whatever else failed, in a stage that was called parsing. */
export function lastError(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof UserFacingError) return { code: error.code, message: error.message };
  return { code: 'JOB_PROCESSING_FAILED', message: 'An error occurred. Please try again later.' };
}
