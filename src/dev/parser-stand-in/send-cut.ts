import type { FastifyReply } from 'fastify';

/** JSON as told by a fault: whole, `truncate`d but well delivered, or with the connection lost in the middle. */
export function sendCut(reply: FastifyReply, answer: unknown, fault: string | undefined) {
  const text = JSON.stringify(answer);
  const half = text.slice(0, text.length / 2);
  if (fault === 'drop-midway') {
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    reply.raw.write(half, () => reply.raw.destroy());
    return reply;
  }
  return reply.type('application/json').send(fault === 'truncate' ? half : text);
}
