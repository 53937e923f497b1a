/** PDFs that a parser may choke on, made from scratch; the same arguments give the same bytes. */
import { createHash } from 'node:crypto';

type Encrypt = (data: Buffer, objectNumber: number) => Buffer;

interface Protection {
  /** Asked for on opening; '' asks nobody. */
  readonly userPassword: string;
  readonly ownerPassword: string;
}

/** Pages of one line of text each. */
export function textPdf(lines: readonly string[]): Buffer {
  return writePdf(lines);
}

/** RC4 of 40 bits, as old programs write it. */
export function protectedPdf(lines: readonly string[], protection: Protection): Buffer {
  return writePdf(lines, protection);
}

export function truncated(file: Buffer, percent: number): Buffer {
  return file.subarray(0, Math.floor((file.length * percent) / 100));
}

/** A header that promises a PDF, then noise of this seed. */
export function noisePdf(seed: number, bytes = 20_000): Buffer {
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), noise(seed, bytes)]);
}

export function noise(seed: number, bytes: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < bytes; index += 1) {
    blocks.push(createHash('sha256').update(`${seed}:${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}

const CATALOG = 1;
const PAGES = 2;
const FONT = 3;
const ENCRYPT = 4;
const FIRST_PAGE = 5;
const FILE_ID = Buffer.alloc(16, 7);

function writePdf(lines: readonly string[], protection?: Protection): Buffer {
  const lock = protection && lockWith(protection);
  const objects = new Map<number, Buffer>();
  const put = (number: number, text: string) => objects.set(number, Buffer.from(text, 'latin1'));
  put(CATALOG, `<</Type/Catalog/Pages ${PAGES} 0 R>>`);
  put(FONT, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>');
  if (lock) put(ENCRYPT, lock.dictionary);
  const kids = lines.map((line, index) => {
    const page = FIRST_PAGE + index * 2;
    const resources = `/Resources<</Font<</F1 ${FONT} 0 R>>>>`;
    put(
      page,
      `<</Type/Page/Parent ${PAGES} 0 R/MediaBox[0 0 595 842]${resources}/Contents ${page + 1} 0 R>>`,
    );
    const content = Buffer.from(`BT /F1 12 Tf 72 720 Td (${line}) Tj ET`, 'latin1');
    const stream = lock ? lock.encrypt(content, page + 1) : content;
    objects.set(
      page + 1,
      Buffer.concat([
        Buffer.from(`<</Length ${stream.length}>>stream\n`),
        stream,
        Buffer.from('\nendstream'),
      ]),
    );
    return `${page} 0 R`;
  });
  put(PAGES, `<</Type/Pages/Count ${kids.length}/Kids[${kids.join(' ')}]>>`);
  return assemble(objects, lock !== undefined);
}

function assemble(objects: ReadonlyMap<number, Buffer>, encrypted: boolean): Buffer {
  const parts = [Buffer.from('%PDF-1.4\n')];
  const offsets = new Map<number, number>();
  let length = parts[0]?.length ?? 0;
  for (const [number, body] of objects) {
    offsets.set(number, length);
    const part = Buffer.concat([Buffer.from(`${number} 0 obj\n`), body, Buffer.from('\nendobj\n')]);
    parts.push(part);
    length += part.length;
  }
  const size = Math.max(...objects.keys()) + 1;
  const rows = Array.from({ length: size }, (_, number) => {
    const offset = offsets.get(number);
    return offset === undefined
      ? '0000000000 65535 f \n'
      : `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const id = FILE_ID.toString('hex');
  const lock = encrypted ? `/Encrypt ${ENCRYPT} 0 R/ID[<${id}><${id}>]` : '';
  parts.push(
    Buffer.from(
      `xref\n0 ${size}\n${rows.join('')}trailer<</Size ${size}/Root ${CATALOG} 0 R${lock}>>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

const PADDING = Buffer.from(
  '28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a',
  'hex',
);
const PERMISSIONS = -4;
const KEY_BYTES = 5;

/** The standard security handler, revision 2. */
function lockWith({ userPassword, ownerPassword }: Protection): {
  readonly dictionary: string;
  readonly encrypt: Encrypt;
} {
  const owner = rc4(md5(padded(ownerPassword)).subarray(0, KEY_BYTES), padded(userPassword));
  const permissions = Buffer.alloc(4);
  permissions.writeInt32LE(PERMISSIONS);
  const key = md5(padded(userPassword), owner, permissions, FILE_ID).subarray(0, KEY_BYTES);
  const user = rc4(key, PADDING);
  return {
    dictionary: `<</Filter/Standard/V 1/R 2/P ${PERMISSIONS}/O<${owner.toString('hex')}>/U<${user.toString('hex')}>>>`,
    encrypt(data, objectNumber) {
      const suffix = Buffer.alloc(5);
      suffix.writeUIntLE(objectNumber, 0, 3);
      return rc4(md5(key, suffix).subarray(0, KEY_BYTES + 5), data);
    },
  };
}

function padded(password: string): Buffer {
  return Buffer.concat([Buffer.from(password, 'latin1'), PADDING]).subarray(0, 32);
}

function md5(...parts: readonly Buffer[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest();
}

/** Written out, since OpenSSL no longer has it. */
function rc4(key: Buffer, data: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const at = (index: number) => state[index & 255] ?? 0;
  const swap = (a: number, b: number) => {
    [state[a & 255], state[b & 255]] = [at(b), at(a)];
  };
  let j = 0;
  for (let i = 0; i < 256; i += 1) {
    j = (j + at(i) + (key[i % key.length] ?? 0)) & 255;
    swap(i, j);
  }
  j = 0;
  return Buffer.from(
    data.map((byte, index) => {
      const i = (index + 1) & 255;
      j = (j + at(i)) & 255;
      swap(i, j);
      return byte ^ at(at(i) + at(j));
    }),
  );
}
