variable "dms_endpoint" {
  description = "Where tideway serve answers."
  type        = string
  default     = "http://127.0.0.1:8367"
}

variable "credentials_file" {
  description = "The file credentials in the server's data directory."
  type        = string
}

variable "name" {
  description = "The name that the stack main was applied with."
  type        = string
  default     = "migration"
}

variable "task_id" {
  description = "Identifier of the task."
  type        = string
}

variable "migration_type" {
  description = "full-load, cdc or full-load-and-cdc."
  type        = string
  default     = "full-load-and-cdc"
}

variable "table_mappings_file" {
  description = "JSON file beside this stack that says which tables are moved, and how."
  type        = string
}

variable "start" {
  description = "Whether the task runs."
  type        = bool
  default     = true
}
