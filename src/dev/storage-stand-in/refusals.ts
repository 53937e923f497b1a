/** Refusals as the real server words them: HTTP 400 for nearly everything, the truth in the body. */

export class StorageRefusal extends Error {
  override readonly name = 'StorageRefusal';
  readonly body: { statusCode: string; code: string; error: string; message: string };

  constructor(statusCode: string, code: string, text: { error?: string; message: string }) {
    super(text.message);
    this.body = { statusCode, code, error: text.error ?? code, message: text.message };
  }

  get httpStatus(): number {
    return this.body.statusCode === '500' ? 500 : 400;
  }
}

export const refuse = {
  noSuchKey: () =>
    new StorageRefusal('404', 'NoSuchKey', { error: 'not_found', message: 'Object not found' }),
  noSuchBucket: () =>
    new StorageRefusal('404', 'NoSuchBucket', {
      error: 'Bucket not found',
      message: 'Bucket not found',
    }),
  accessDenied: (message: string) =>
    new StorageRefusal('403', 'AccessDenied', { error: 'Unauthorized', message }),
  rowLevelSecurity: () => refuse.accessDenied('new row violates row-level security policy'),
  keyAlreadyExists: () =>
    new StorageRefusal('409', 'KeyAlreadyExists', {
      error: 'Duplicate',
      message: 'The resource already exists',
    }),
  bucketAlreadyExists: () =>
    new StorageRefusal('409', 'BucketAlreadyExists', {
      error: 'Duplicate',
      message: 'The resource already exists',
    }),
  invalidKey: (key: string) =>
    new StorageRefusal('400', 'InvalidKey', { message: `Invalid key: ${key}` }),
  invalidBucketName: () =>
    new StorageRefusal('400', 'InvalidBucketName', {
      error: 'Invalid Input',
      message: 'Bucket name invalid',
    }),
  invalidJwt: (message: string) => new StorageRefusal('400', 'InvalidJWT', { message }),
  invalidSignature: () =>
    new StorageRefusal('400', 'InvalidSignature', { message: 'Invalid signature' }),
  invalidRange: () =>
    new StorageRefusal('400', 'InvalidRange', {
      error: 'invalid_range',
      message: 'invalid range provided',
    }),
  invalidRequest: (message: string) => new StorageRefusal('400', 'InvalidRequest', { message }),
  invalidMimeType: (mimeType: string) =>
    new StorageRefusal('415', 'InvalidMimeType', {
      error: 'invalid_mime_type',
      message: `mime type ${mimeType} is not supported`,
    }),
  entityTooLarge: () =>
    new StorageRefusal('413', 'EntityTooLarge', {
      error: 'Payload too large',
      message: 'The object exceeded the maximum allowed size',
    }),
  internalError: (error: Error) =>
    new StorageRefusal('500', 'InternalError', { error: error.name, message: error.message }),
};
