/** DOCX files that are not what they say: lying sizes, many or locked or wandering entries, tables without end. */
import { crc32, deflateRawSync } from 'node:zlib';

const DOCUMENT = 'word/document.xml';
const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const PARAGRAPH = '<w:p><w:r><w:t>Your copayment is 20 dollars.</w:t></w:r></w:p>';

interface Part {
  readonly name: string;
  readonly content: string;
  /** What the archive says of its size, the truth unless told. */
  readonly claimedBytes?: number;
  readonly encrypted?: boolean;
}

export function docx(body = PARAGRAPH, claims: Omit<Part, 'name' | 'content'> = {}): Buffer {
  const content = `<w:document ${W}><w:body>${body}</w:body></w:document>`;
  return archive([{ name: DOCUMENT, content, ...claims }]);
}

/** Unpacks to `bytes`, and says so. */
export function hugeDocx(bytes: number): Buffer {
  return docx(blanks(bytes));
}

/** Unpacks to `bytes`, and claims to unpack to 1,000. */
export function lyingDocx(bytes: number): Buffer {
  return docx(blanks(bytes), { claimedBytes: 1_000 });
}

export function encryptedDocx(): Buffer {
  return docx(PARAGRAPH, { encrypted: true });
}

export function crowdedDocx(entries: number): Buffer {
  const crowd = Array.from({ length: entries }, (_, index) => ({
    name: `word/media/${index}.txt`,
    content: 'x',
  }));
  return archive([{ name: DOCUMENT, content: PARAGRAPH }, ...crowd]);
}

/** An entry that would be unpacked outside of its folder. */
export function wanderingDocx(): Buffer {
  return archive([
    { name: DOCUMENT, content: PARAGRAPH },
    { name: '../passwd', content: 'x' },
  ]);
}

/** An archive of another kind. */
export function foreignArchive(): Buffer {
  return archive([{ name: 'photo.txt', content: 'x' }]);
}

export function deepTablesDocx(depth: number): Buffer {
  const open = '<w:tbl><w:tr><w:tc>'.repeat(depth);
  return docx(`${open}<w:p/>${'</w:tc></w:tr></w:tbl>'.repeat(depth)}`);
}

function blanks(bytes: number): string {
  return `<w:p><w:r><w:t>${' '.repeat(bytes)}</w:t></w:r></w:p>`;
}

const CONTENT_TYPES =
  '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>';
const RELATIONSHIPS = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="${DOCUMENT}"/></Relationships>`;

function archive(parts: readonly Part[]): Buffer {
  return zip([
    { name: '[Content_Types].xml', content: CONTENT_TYPES },
    { name: '_rels/.rels', content: RELATIONSHIPS },
    ...parts,
  ]);
}

function zip(parts: readonly Part[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const part of parts) {
    const name = Buffer.from(part.name);
    const content = Buffer.from(part.content);
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version
    common.writeUInt16LE(part.encrypted ? 1 : 0, 2);
    common.writeUInt16LE(8, 4); // deflate
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(part.claimedBytes ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const body = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, name, packed]);
    bodies.push(body);
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0000'), common, place, name);
    offset += body.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, listing, Buffer.from('PK\u0005\u0006'), end]);
}
