-- Dispute $1 as a document (dispute_document), the file that came with it, and of a crawler's the request.
-- columns: document jsonb, evidence bytea, signature_base bytea
SELECT dispute_document(dispute_id) AS document, evidence, signature_base
  FROM dispute WHERE dispute_id = $1::uuid
