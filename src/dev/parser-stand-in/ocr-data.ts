/** English for the OCR engine, out of an npm package: nothing is fetched at run time. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);

/** Unpacks it once into a folder below `dataFolder` and returns that. */
export function unpackOcrData(dataFolder: string): string {
  const folder = join(dataFolder, 'tessdata');
  const file = join(folder, 'eng.traineddata');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const packed = require.resolve('@tesseract.js-data/eng/4.0.0_best_int/eng.traineddata.gz');
    writeFileSync(`${file}.tmp`, gunzipSync(readFileSync(packed)));
    renameSync(`${file}.tmp`, file);
  }
  return folder;
}
