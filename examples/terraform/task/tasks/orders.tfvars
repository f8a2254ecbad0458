task_id             = "orders"
table_mappings_file = "tasks/orders-mappings.json"
