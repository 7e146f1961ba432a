"""The only importer of boto3: sessions, clients, rate limits, paging, retries, error codes. Reader and Writer apart."""
