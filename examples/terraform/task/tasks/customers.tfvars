task_id             = "customers"
table_mappings_file = "tasks/customers-mappings.json"
