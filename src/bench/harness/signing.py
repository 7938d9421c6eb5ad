"""AWS Signature Version 4 of requests whose path needs no encoding, and JSON Web Tokens."""

import base64
import hashlib
import hmac
import json
import time


class SigV4:
    REGION = 'us-east-1'
    SERVICE = 'amplifybackend'

    def __init__(self, access_key_id, secret_access_key):
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key

    def headers(self, method, path, host, body, at=None):
        """What to add to the request. It is good for five minutes, for any number of requests."""
        stamp = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(at))
        scope = f'{stamp[:8]}/{self.REGION}/{self.SERVICE}/aws4_request'
        canonical = '\n'.join([
            method, path, '', f'host:{host}', f'x-amz-date:{stamp}', '', 'host;x-amz-date',
            hashlib.sha256(body).hexdigest()])
        to_sign = '\n'.join(['AWS4-HMAC-SHA256', stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ('AWS4' + self.secret_access_key).encode()
        for part in scope.split('/'):
            key = _hmac(key, part)
        signature = _hmac(key, to_sign).hex()
        return {
            'X-Amz-Date': stamp,
            'Authorization': f'AWS4-HMAC-SHA256 Credential={self.access_key_id}/{scope}, '
                             f'SignedHeaders=host;x-amz-date, Signature={signature}',
        }


def _hmac(key, text):
    return hmac.digest(key, text.encode(), 'sha256')


def jwt(secret, claims):
    """Signed with HS256."""
    signed = '.'.join(_base64url(json.dumps(part).encode()) for part in ({'alg': 'HS256', 'typ': 'JWT'}, claims))
    return f'{signed}.{_base64url(_hmac(secret.encode(), signed))}'


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()
