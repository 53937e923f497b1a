/** DOCX files that are not what they say: lying sizes, many or locked or wandering entries, tables without end. */
import JSZip from 'jszip';

const DOCUMENT = 'word/document.xml';
const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';

export function docx(body = '<w:p><w:r><w:t>Your copayment is 20 dollars.</w:t></w:r></w:p>') {
  return archive({ [DOCUMENT]: `<w:document ${W}><w:body>${body}</w:body></w:document>` });
}

/** Unpacks to `bytes`, and says so. */
export function hugeDocx(bytes: number): Promise<Buffer> {
  return docx(`<w:p><w:r><w:t>${' '.repeat(bytes)}</w:t></w:r></w:p>`);
}

/** Unpacks to `bytes`, and claims to unpack to 1,000. */
export async function lyingDocx(bytes: number): Promise<Buffer> {
  return patchEntry(await hugeDocx(bytes), (header) => header.writeUInt32LE(1_000, 24));
}

export function crowdedDocx(entries: number): Promise<Buffer> {
  const names = Array.from({ length: entries }, (_, index) => [`word/media/${index}.txt`, 'x']);
  return archive({ [DOCUMENT]: `<w:document ${W}/>`, ...Object.fromEntries(names) });
}

export async function encryptedDocx(): Promise<Buffer> {
  return patchEntry(await docx(), (header) => header.writeUInt16LE(header.readUInt16LE(8) | 1, 8));
}

/** An entry that would be unpacked outside of its folder. */
export async function wanderingDocx(): Promise<Buffer> {
  const file = await archive({ [DOCUMENT]: `<w:document ${W}/>`, 'xx/passwd': 'x' });
  return Buffer.from(file.toString('latin1').replaceAll('xx/passwd', '../passwd'), 'latin1');
}

export function deepTablesDocx(depth: number): Promise<Buffer> {
  return docx(
    `${'<w:tbl><w:tr><w:tc>'.repeat(depth)}<w:p/>${'</w:tc></w:tr></w:tbl>'.repeat(depth)}`,
  );
}

async function archive(parts: Readonly<Record<string, string>>): Promise<Buffer> {
  const zip = new JSZip();
  zip.file(
    '[Content_Types].xml',
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
  );
  zip.file(
    '_rels/.rels',
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="${DOCUMENT}"/></Relationships>`,
  );
  // A fixed date: the same arguments give the same bytes.
  const date = new Date(0);
  for (const [name, content] of Object.entries(parts)) zip.file(name, content, { date });
  return zip.generateAsync({ type: 'nodebuffer', compression: 'DEFLATE' });
}

const DIRECTORY_MARK = Buffer.from('PK\u0001\u0002');
const NAME_AT = 46;

/** Changes the main part's header in the central directory, which is what readers go by. */
function patchEntry(file: Buffer, patch: (header: Buffer) => void): Buffer {
  const patched = Buffer.from(file);
  let at = patched.indexOf(DIRECTORY_MARK);
  while (at >= 0) {
    const header = patched.subarray(at);
    if (header.subarray(NAME_AT, NAME_AT + DOCUMENT.length).toString() === DOCUMENT) {
      patch(header);
      return patched;
    }
    at = patched.indexOf(DIRECTORY_MARK, at + 1);
  }
  throw new Error('the archive has no main part');
}
