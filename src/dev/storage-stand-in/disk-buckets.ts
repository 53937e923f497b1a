/** All buckets below the data folder, each a folder with its row in `bucket.json`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BucketRow, DiskBucket } from './disk-bucket.ts';
import { refuse } from './refusals.ts';

const BUCKET_NAME = /^[A-Za-z0-9_-]{1,100}$/;

export class DiskBuckets {
  readonly #folder: string;
  readonly #buckets = new Map<string, DiskBucket>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const id of readdirSync(folder)) {
      const rowFile = join(folder, id, 'bucket.json');
      if (!existsSync(rowFile)) continue;
      const row: BucketRow = JSON.parse(readFileSync(rowFile, 'utf8'));
      this.#buckets.set(id, new DiskBucket(join(folder, id), row));
    }
  }

  find(id: string): DiskBucket | undefined {
    return this.#buckets.get(id);
  }

  get(id: string): DiskBucket {
    const bucket = this.find(id);
    if (bucket === undefined) throw refuse.noSuchBucket();
    return bucket;
  }

  create(row: BucketRow): void {
    if (!BUCKET_NAME.test(row.id)) throw refuse.invalidBucketName();
    if (this.#buckets.has(row.id)) throw refuse.bucketAlreadyExists();
    const folder = join(this.#folder, row.id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'bucket.json'), JSON.stringify(row), { flush: true });
    this.#buckets.set(row.id, new DiskBucket(folder, row));
  }
}
