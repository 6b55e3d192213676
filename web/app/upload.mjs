/* A file on its way to the server, with progress: only XMLHttpRequest tells how much of a body has gone. */
import { ApiError, queryString, retryAfter } from '../shared/api.mjs';

const STALL_MS = 45_000; /* without any progress, the connection is taken for dead */

/* What is said of a photo beside its bytes; see POST /operator/upload. */
export function uploadQuery({ task_id, place, captured_at }) {
  return queryString({
    task_id,
    ...(place
      ? {
          lat: place.lat,
          lng: place.lng,
          accuracy_m: Number.isFinite(place.accuracy_m) ? Math.round(place.accuracy_m * 10) / 10 : null,
        }
      : {}),
    captured_at: captured_at === null || captured_at === undefined ? null : new Date(captured_at).toISOString(),
  });
}

function answerOf(request) {
  const id = request.getResponseHeader('X-Request-Id');
  let json = null;
  try {
    json = JSON.parse(request.responseText);
  } catch {
    /* said below */
  }
  const isOk = request.status >= 200 && request.status < 300;
  if (isOk && typeof json?.url === 'string') return json;
  throw new ApiError({
    status: request.status,
    code: isOk ? 'unreadable' : typeof json?.code === 'string' ? json.code : `http_${request.status}`,
    message: typeof json?.error === 'string' ? json.error : `The service answered with status ${request.status}.`,
    details: json?.details ?? {},
    requestId: id,
    retryAfter: retryAfter(request.getResponseHeader('Retry-After')),
  });
}

/* Sends one photo of the outbox; gives the API's answer or throws ApiError.  onprogress: 0 to 1. */
export function upload(photo, bytes, onprogress, { headers, base = '/api/v1', signal = null }) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    let stall = null,
      reason = 'aborted';
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => {
        reason = 'timeout';
        request.abort();
      }, STALL_MS);
    };
    const end = (result, error) => {
      clearTimeout(stall);
      if (error) fail(error);
      else done(result);
    };
    request.open('POST', `${base}/operator/upload${uploadQuery(photo)}`);
    request.setRequestHeader('Content-Type', photo.type);
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.onprogress = (event) => {
      watch();
      onprogress(event.lengthComputable ? event.loaded / event.total : 0);
    };
    request.onload = () => {
      try {
        end(answerOf(request));
      } catch (error) {
        end(null, error);
      }
    };
    request.onerror = () =>
      end(null, new ApiError({ code: 'offline', message: 'There is no connection to the service.' }));
    request.onabort = () => end(null, new ApiError({ code: reason, message: 'The upload was broken off.' }));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    watch();
    request.send(bytes);
  });
}
