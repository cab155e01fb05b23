import { exec, execFile } from 'child_process';
import * as jwt from 'jsonwebtoken';

const PRINTERS: readonly string[] = ['warehouse', 'front-desk'];

/** Prints a shipping label on the printer the customer chose. */
export function printLabel(printer: string, file: string): void {
  exec(`lp -d ${printer} ${file}`);
}

export function printLabelSafely(printer: string, file: string): void {
  if (!PRINTERS.includes(printer)) {
    throw new Error('no such printer');
  }
  execFile('lp', ['-d', printer, file]);
}

/** The customer number in a bearer token. */
export function customerOf(header: string): string {
  const token = header.replace('Bearer ', '');
  const claims = jwt.verify(token, '', { algorithms: ['none'] }) as jwt.JwtPayload;
  return claims.sub ?? '';
}

export function customerOfSafely(header: string): string {
  const token = header.replace('Bearer ', '');
  const claims = jwt.verify(token, process.env.SHOP_TOKEN_KEY ?? '', { algorithms: ['HS256'] }) as jwt.JwtPayload;
  return claims.sub ?? '';
}
