import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { IntakeError } from '../../../src/domain/errors.ts';
import { apiUnderTest, newDocumentId, signToken } from '../../support/api-under-test.ts';

const documentId = newDocumentId();
const url = `/v1/documents/${documentId}/original`;
const text = '<script>alert(1)</script>';

function holding(name: string, content: () => Readable = () => Readable.from([text])) {
  return apiUnderTest({
    documents: {
      openOriginal: async () => ({
        name,
        mediaType: 'text/html',
        sizeBytes: text.length,
        content: content(),
      }),
      openMarkdown: async () => ({
        name: `${name}.md`,
        mediaType: 'text/markdown; charset=utf-8',
        sizeBytes: text.length,
        content: content(),
      }),
    },
  });
}

test('a file is an attachment that no browser sniffs, renders or keeps', async () => {
  const { request } = await holding('plan.html');
  const response = await request({ url });
  expect(response.statusCode).toBe(200);
  expect(response.body).toBe(text);
  expect(response.headers).toMatchObject({
    'content-type': 'text/html',
    'content-length': String(text.length),
    'content-disposition': 'attachment; filename=plan.html',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
  });
});

test('so is its Markdown', async () => {
  const { request } = await holding('plan.html');
  const response = await request({ url: `/v1/documents/${documentId}/markdown` });
  expect(response.headers).toMatchObject({
    'content-type': 'text/markdown; charset=utf-8',
    'content-disposition': 'attachment; filename=plan.html.md',
  });
});

test.each([
  ['a "quoted" plan.pdf', 'attachment; filename="a \\"quoted\\" plan.pdf"'],
  ['für dich.pdf', `attachment; filename="f?r dich.pdf"; filename*=UTF-8''f%C3%BCr%20dich.pdf`],
  ['你.pdf', `attachment; filename="?.pdf"; filename*=UTF-8''%E4%BD%A0.pdf`],
  ['a;b=c.pdf', 'attachment; filename="a;b=c.pdf"'],
  ['../../x\\y.pdf', 'attachment; filename=.._.._x_y.pdf'],
])('the name %s is written as RFC 6266 asks', async (name, header) => {
  const { request } = await holding(name);
  expect((await request({ url })).headers['content-disposition']).toBe(header);
});

test('a file that is not there is a problem and no attachment', async () => {
  const { request } = await apiUnderTest({
    documents: {
      openOriginal: async () => {
        throw new IntakeError('STORAGE_UNAVAILABLE');
      },
    },
  });
  const response = await request({ url });
  expect(response.statusCode).toBe(503);
  expect(response.headers['content-disposition']).toBeUndefined();
});

test('a file that breaks off on the way never looks whole, and is logged', async () => {
  const { app, ownerId, logs } = await holding('plan.html', () =>
    Readable.from(
      (async function* () {
        yield text.slice(0, 5);
        throw new IntakeError('STORAGE_UNAVAILABLE');
      })(),
    ),
  );
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const response = await fetch(`${base}${url}`, {
    headers: { authorization: `Bearer ${await signToken(ownerId)}` },
  });
  await expect(response.text()).rejects.toThrow();
  await expect.poll(() => logs.some((line) => line.includes('answer cut short'))).toBe(true);
});
